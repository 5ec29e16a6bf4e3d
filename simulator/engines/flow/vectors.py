"""Numbers side by side, a lane for each of many runs, as one type that compiled functions work on.

A row is WIDTH numbers of a flat buffer, and `load` makes a Lanes of it: what is written as
arithmetic on one number is then done to all. Each operation does the same to every lane, in IEEE
arithmetic without contraction, so that a lane's bits do not depend on its place or its neighbours.
They are vectors of LLVM: loops over indexed rows are not vectorised, as the compiler cannot know
that two rows are not the same.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, ClassVar, Final

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

WIDTH: Final = 16
_VECTOR: Final = ir.VectorType(ir.DoubleType(), WIDTH)
_WHOLE: Final = ir.VectorType(ir.IntType(64), WIDTH)
_BUFFER: Final = types.Array(types.float64, 1, "C")
_WORDS: Final = types.Array(types.int32, 1, "C")


class LanesType(types.Type):
    """Type of WIDTH float64."""

    def __init__(self) -> None:
        super().__init__(name=f"Lanes{WIDTH}")


Lanes: Final = LanesType()


@register_model(LanesType)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)  # type: ignore[no-untyped-call]


def _all(number: float) -> Any:
    return ir.Constant(_VECTOR, [number] * WIDTH)


def _whole(number: int) -> Any:
    return ir.Constant(_WHOLE, [number] * WIDTH)


def _spread(builder: Any, number: Any) -> Any:
    """A number in every lane."""
    one = builder.insert_element(
        ir.Constant(_VECTOR, ir.Undefined), number, ir.Constant(ir.IntType(32), 0)
    )
    mask = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(one, one, mask)


def _operator(which: Any, body: Callable[..., Any]) -> None:
    """Give + - x / a meaning for Lanes, and for Lanes and a number."""
    number = types.float64
    pairs = [(Lanes, Lanes), (Lanes, number), (number, Lanes)]

    class Template(ConcreteTemplate):
        cases: ClassVar[list[Any]] = [
            signature(Lanes, *pair)  # type: ignore[no-untyped-call]
            for pair in pairs
        ]

    infer_global(which)(Template)  # type: ignore[no-untyped-call]
    for pair in pairs:

        def generate(context: Any, builder: Any, sig: Any, arguments: Any, pair: Any = pair) -> Any:
            del context, sig
            sides = [
                x if kind is Lanes else _spread(builder, x)
                for x, kind in zip(arguments, pair, strict=True)
            ]
            return body(builder, *sides)

        lower_builtin(which, *pair)(generate)  # type: ignore[no-untyped-call]


_operator(operator.add, lambda b, x, y: b.fadd(x, y))
_operator(operator.sub, lambda b, x, y: b.fsub(x, y))
_operator(operator.mul, lambda b, x, y: b.fmul(x, y))
_operator(operator.truediv, lambda b, x, y: b.fdiv(x, y))


def _function(count: int, body: Callable[..., Any]) -> Any:
    """A function of `count` Lanes."""

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        del context, sig
        return body(builder, *arguments)

    def typed(*given: Any) -> Any:
        return (Lanes(*(Lanes,) * count), generate) if set(given) == {Lanes} else None

    if count == 1:

        @intrinsic
        def made(context, a):  # type: ignore[no-untyped-def]
            del context
            return typed(a)
    elif count == 2:

        @intrinsic
        def made(context, a, b):  # type: ignore[no-untyped-def]
            del context
            return typed(a, b)
    else:

        @intrinsic
        def made(context, a, b, c, d):  # type: ignore[no-untyped-def]
            del context
            return typed(a, b, c, d)

    return made


def _larger(builder: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.fcmp_ordered(">", a, b), a, b)


def _smaller(builder: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.fcmp_ordered("<", a, b), a, b)


def _llvm(name: str) -> Callable[..., Any]:
    def body(builder: Any, x: Any) -> Any:
        form = ir.FunctionType(_VECTOR, [_VECTOR])
        full = f"{name}.v{WIDTH}f64"
        made = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
            builder.module, form, full
        )
        return builder.call(made, [x])

    return body


_MAGIC: Final = 2.0**52


def _two_to(builder: Any, k: Any) -> Any:
    """2 to a whole power in -1022 .. 1023, made of its bits."""
    bits = builder.bitcast(builder.fadd(k, _all(_MAGIC + 1023.0)), _WHOLE)
    return builder.bitcast(builder.shl(bits, _whole(52)), _VECTOR)


def _power(builder: Any, x: Any) -> Any:
    """The power of two in numbers above 0."""
    bits = builder.lshr(builder.bitcast(x, _WHOLE), _whole(52))
    made = builder.bitcast(builder.or_(bits, _whole(0x4330000000000000)), _VECTOR)
    return builder.fsub(made, _all(_MAGIC + 1023.0))


def _fraction(builder: Any, x: Any) -> Any:
    """Numbers above 0 over their power of two, in [1, 2)."""
    bits = builder.and_(builder.bitcast(x, _WHOLE), _whole((1 << 52) - 1))
    return builder.bitcast(builder.or_(bits, _whole(1023 << 52)), _VECTOR)


most: Final[Any] = _function(2, _larger)
least: Final[Any] = _function(2, _smaller)
size: Final[Any] = _function(1, lambda b, x: _larger(b, x, b.fsub(_all(0.0), x)))
root: Final[Any] = _function(1, _llvm("llvm.sqrt"))
floor: Final[Any] = _function(1, _llvm("llvm.floor"))
if_more: Final[Any] = _function(
    4, lambda b, x, y, yes, no: b.select(b.fcmp_ordered(">", x, y), yes, no)
)
two_to: Final[Any] = _function(1, _two_to)
power: Final[Any] = _function(1, _power)
fraction: Final[Any] = _function(1, _fraction)


def _place(context: Any, builder: Any, array: Any, kind: Any, index: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.gep(data, [index])


def _row(context: Any, builder: Any, buffer: Any, index: Any) -> Any:
    """Pointer to a row."""
    place = builder.mul(index, ir.Constant(index.type, WIDTH))
    return builder.bitcast(_place(context, builder, buffer, _BUFFER, place), _VECTOR.as_pointer())


@intrinsic
def _load(context, buffer, row):  # type: ignore[no-untyped-def]
    """The numbers of a row."""
    del context, row

    def generate(context, builder, sig, arguments):  # type: ignore[no-untyped-def]
        del sig
        found = builder.load(_row(context, builder, *arguments))
        found.align = 8
        return found

    return (Lanes(_BUFFER, types.intp), generate) if buffer == _BUFFER else None


@intrinsic
def _store(context, buffer, row, numbers):  # type: ignore[no-untyped-def]
    """Put numbers into a row."""
    del context, row, numbers

    def generate(context, builder, sig, arguments):  # type: ignore[no-untyped-def]
        del sig
        builder.store(arguments[2], _row(context, builder, *arguments[:2])).align = 8
        return context.get_dummy_value()

    form = types.void(_BUFFER, types.intp, Lanes)
    return (form, generate) if buffer == _BUFFER else None


@intrinsic
def _word(context, words, place):  # type: ignore[no-untyped-def]
    """An entry of an array of int32; places are not counted from its end."""
    del context, place

    def generate(context, builder, sig, arguments):  # type: ignore[no-untyped-def]
        del sig
        pointer = _place(context, builder, arguments[0], _WORDS, arguments[1])
        return builder.sext(builder.load(pointer), cgutils.intp_t)

    return (types.intp(_WORDS, types.intp), generate) if words == _WORDS else None


@intrinsic
def _of(context, number):  # type: ignore[no-untyped-def]
    """A number in every lane."""
    del context, number

    def generate(context, builder, sig, arguments):  # type: ignore[no-untyped-def]
        del context, sig
        return _spread(builder, arguments[0])

    return Lanes(types.float64), generate


@intrinsic
def _some(context, numbers):  # type: ignore[no-untyped-def]
    """Whether any lane is above 0."""
    del context, numbers

    def generate(context, builder, sig, arguments):  # type: ignore[no-untyped-def]
        del context, sig
        lanes = ir.IntType(WIDTH)
        flags = builder.bitcast(builder.fcmp_ordered(">", arguments[0], _all(0.0)), lanes)
        return builder.icmp_unsigned("!=", flags, ir.Constant(lanes, 0))

    return types.boolean(Lanes), generate


@intrinsic
def _gather(context, buffer, places):  # type: ignore[no-untyped-def]
    """Of each lane, the number at a place of its own, a whole number."""
    del context, places

    def generate(context, builder, sig, arguments):  # type: ignore[no-untyped-def]
        del sig
        whole = builder.fptosi(arguments[1], _WHOLE)
        found = ir.Constant(_VECTOR, ir.Undefined)
        for lane in range(WIDTH):
            at = ir.Constant(ir.IntType(32), lane)
            pointer = _place(
                context, builder, arguments[0], _BUFFER, builder.extract_element(whole, at)
            )
            found = builder.insert_element(found, builder.load(pointer), at)
        return found

    return (Lanes(_BUFFER, Lanes), generate) if buffer == _BUFFER else None


load: Final[Any] = _load
store: Final[Any] = _store
word: Final[Any] = _word
of: Final[Any] = _of
some: Final[Any] = _some
gather: Final[Any] = _gather

__all__ = [
    "WIDTH", "Lanes", "floor", "fraction", "gather", "if_more", "least", "load", "most", "of",
    "power", "root", "size", "some", "store", "two_to", "word",
]  # fmt: skip
