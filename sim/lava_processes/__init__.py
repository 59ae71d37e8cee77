"""Lava processes of lavadeploy, in a folder of their own.

Lava's compiler executes every module of a process's package to find its models, so nothing else
may live here, and the modules must not import relatively.
"""
