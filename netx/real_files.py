"""NetX files of real numbers: networks that were trained without quantization.

The layout and the units are those of whole numbers: weights, biases and thresholds of 1/64, decays
of 4096, delays in steps. Only the numbers may lie between the whole ones. A file is told by its
numbers, not by their type or an attribute: anybody may write one, and SLAYER stores whole numbers
as floating-point ones, too. One whose numbers happen to be all whole holds an ordinary network,
which needs no quantization, whoever wrote it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .hdf5_store import read_tree
from .layers import SynapticLayer
from .network import Network
from .reader import real_network_from_tree
from .real_network import RealNetwork, stated_values
from .writer import netx_values, write_values


def read_any_netx(path: str | Path) -> Network | RealNetwork:
    """Read a NetX file of whole or of real numbers.

    Parameters
    ----------
    path : str or Path
        The HDF5 file.

    Returns
    -------
    Network or RealNetwork
        A `Network`, the one that `read_netx` returns, when every number is whole.

    Raises
    ------
    NetxFormatError
        As by `read_real_netx`.
    """
    network = read_real_netx(path)
    return network if has_fractions(network) else network.nearest


def read_real_netx(path: str | Path) -> RealNetwork:
    """Read a NetX file whose weights, biases, delays, thresholds and decays may be real numbers.

    Parameters
    ----------
    path : str or Path
        The HDF5 file. One of whole numbers is read, too; its reals are those numbers.

    Returns
    -------
    RealNetwork
        Numbers as stored, float64, in the shapes that `read_netx` gives them, and the nearest whole
        ones (half to even).

    Raises
    ------
    NetxFormatError
        As by `read_netx`, but for those numbers only when they are not finite or do not fit 32
        bits. Shapes, strides, flags, payload widths and an input layer's numbers stay whole.
    """
    return real_network_from_tree(read_tree(Path(path)))


def write_real_netx(network: RealNetwork, path: str | Path) -> None:
    """Write a network of real numbers as a NetX file.

    Parameters
    ----------
    network : RealNetwork
        What to write.
    path : str or Path
        The file to create or replace.

    Raises
    ------
    OutputError
        When the file cannot be written; nothing is left behind.

    Notes
    -----
    Real numbers are float64 and read back equal; all else is as `write_netx` writes it. lava-dl's
    reader does not look whether numbers are whole: without a word it cuts weights toward zero and
    hands fractions of decays and thresholds on (lava-dl 0.6), so what it makes of such a file is
    another network. Quantize first, and give it the quantized network's file.
    """
    values = netx_values(network.nearest)
    for index, layer in enumerate(network.nearest.layers):
        if isinstance(layer, SynapticLayer):
            for dataset, numbers in stated_values(network.values[layer.name]):
                values[f"layer/{index}/{dataset}"] = numbers
    write_values(network.nearest, values, path)


def has_fractions(network: RealNetwork) -> bool:
    """Tell whether any number of a network is not whole."""
    return any(
        bool(np.any(numbers != np.round(numbers)))
        for values in network.values.values()
        for _, numbers in stated_values(values)
    )
