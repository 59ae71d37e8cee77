"""The passes of the compiler, one file each; `compile/pipeline.py` gives their order."""
