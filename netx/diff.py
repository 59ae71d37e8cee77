"""What changed between two networks, as data for tables and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from difflib import SequenceMatcher
from typing import Any

from .layers import InputLayer, Layer, SynapticLayer, layer_kind
from .network import Network
from .neurons import Neuron
from .value_changes import ElementChanges, PlainValue, compare_values

# Compared apart from the other fields. Names only number the layers.
APART = ("name", "shape", "neuron", "extra")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference between two networks.

    Attributes
    ----------
    layer, other_layer : str or None
        The layer's name in the first and in the second network. One is None where the layer is only
        in the other; both are for what is stated outside of layers.
    field : str
        Field of `Layer`, ``neuron.<field>``, ``extra.<dataset>`` or ``extra_attributes.<name>``;
        ``layer`` where a whole layer was added or removed; ``kind`` where it is of another kind.
    before, after : int, float, bool, str, tuple of int or None
    elements : ElementChanges or None
        See `ValueChange`.
    """

    layer: str | None
    other_layer: str | None
    field: str
    before: PlainValue
    after: PlainValue
    elements: ElementChanges | None


def diff_networks(network: Network, other: Network) -> tuple[Change, ...]:
    """Compare what two networks state.

    Parameters
    ----------
    network, other : Network
        Before and after. They need not be complete: shapes are not inferred.

    Returns
    -------
    tuple of Change
        In layer order, then what is outside of layers. Empty when the networks are the same.

    Notes
    -----
    Layers are paired in order, by kind and output shape where possible, so that one layer more
    moves the others without changing them. Of layers or neurons of different kinds only the fields
    that both have are compared. Numbers are compared by value, not by the type they are stored in.
    Names of layers, `source` and `warnings` are not compared.
    """
    changes: list[Change] = []
    for layer, other_layer in _pairs(network.layers, other.layers):
        names = (layer.name if layer else None, other_layer.name if other_layer else None)
        for field, before, after in _layer_fields(layer, other_layer):
            changes += change_between(*names, field, before, after)
    for prefix, extra, other_extra in (
        ("extra", network.extra, other.extra),
        ("extra_attributes", network.extra_attributes, other.extra_attributes),
    ):
        for name, before, after in _by_key(extra, other_extra):
            changes += change_between(None, None, f"{prefix}.{name}", before, after)
    return tuple(changes)


def change_between(
    layer: str | None, other_layer: str | None, field: str, before: object, after: object
) -> list[Change]:
    """Return the change from one value to another; none where they are the same."""
    found = compare_values(before, after)
    if found is None:
        return []
    change = Change(
        layer=layer,
        other_layer=other_layer,
        field=field,
        before=found.before,
        after=found.after,
        elements=found.elements,
    )
    return [change]


def _pairs(
    layers: tuple[Layer, ...], others: tuple[Layer, ...]
) -> Iterator[tuple[Layer | None, Layer | None]]:
    """Yield each layer with its counterpart, in order."""
    matcher = SequenceMatcher(
        None,
        [(layer_kind(layer), layer.shape) for layer in layers],
        [(layer_kind(layer), layer.shape) for layer in others],
        autojunk=False,
    )
    for _tag, i, i_end, j, j_end in matcher.get_opcodes():
        for step in range(max(i_end - i, j_end - j)):
            yield (
                layers[i + step] if i + step < i_end else None,
                others[j + step] if j + step < j_end else None,
            )


def _layer_fields(a: Layer | None, b: Layer | None) -> Iterator[tuple[str, object, object]]:
    """Yield field, value before and value after of all that two layers have in common."""
    if a is None or b is None:
        yield "layer", _titled(a), _titled(b)
        return
    yield "kind", layer_kind(a).value, layer_kind(b).value
    yield "shape", a.shape, b.shape
    neuron_a, neuron_b = _neuron(a), _neuron(b)
    yield (
        "neuron.kind",
        None if neuron_a is None else neuron_a.kind.value,
        None if neuron_b is None else neuron_b.kind.value,
    )
    if neuron_a is not None and neuron_b is not None:
        for name in _shared_fields(neuron_a, neuron_b, apart=("kind",)):
            yield f"neuron.{name}", getattr(neuron_a, name), getattr(neuron_b, name)
    for name in _shared_fields(a, b, apart=APART):
        yield name, getattr(a, name), getattr(b, name)
    for name, before, after in _by_key(a.extra, b.extra):
        yield f"extra.{name}", before, after


def _neuron(layer: Layer) -> Neuron | None:
    return layer.neuron if isinstance(layer, InputLayer | SynapticLayer) else None


def _shared_fields(a: Any, b: Any, *, apart: tuple[str, ...]) -> list[str]:
    names = {field.name for field in fields(b)}
    return [f.name for f in fields(a) if f.name in names and f.name not in apart]


def _by_key(
    a: Mapping[str, object], b: Mapping[str, object]
) -> Iterator[tuple[str, object, object]]:
    for name in sorted({*a, *b}):
        yield name, a.get(name), b.get(name)


def _titled(layer: Layer | None) -> str | None:
    if layer is None:
        return None
    return f"{layer_kind(layer).value} {'×'.join(str(n) for n in layer.shape)}"
