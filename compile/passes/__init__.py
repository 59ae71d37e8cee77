"""The passes of the compiler; `compile/pipeline.py` gives their order.

One file each: legalize, with the lowerings that only it uses (`lower*`, `kernel_matrix`), quantize,
encode, partition and place.
"""
