"""Arithmetic on rows of numbers side by side: the instructions of many runs at once.

A row is WIDTH numbers of a flat buffer, one a lane, and a lane is a run. Each instruction does the
same to every lane, in IEEE arithmetic without contraction, so that a lane's bits do not depend on
its place or its neighbours. They are written as vectors of LLVM: loops over indexed rows are not
vectorised, as the compiler cannot know that two rows are not the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

WIDTH: Final = 16
_VECTOR: Final = ir.VectorType(ir.DoubleType(), WIDTH)
_BUFFER: Final = types.Array(types.float64, 1, "C")


def _row(context: Any, builder: Any, buffer: Any, index: Any) -> Any:
    """Pointer to a row."""
    data = context.make_array(_BUFFER)(context, builder, buffer).data
    place = builder.mul(index, ir.Constant(index.type, WIDTH))
    return builder.bitcast(builder.gep(data, [place]), _VECTOR.as_pointer())


def _load(builder: Any, pointer: Any) -> Any:
    value = builder.load(pointer)
    value.align = 8
    return value


def _emit(body: Callable[..., Any], rows: int) -> Callable[..., Any]:
    """Code of an instruction: row d becomes what the body makes of d and the other rows."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del signature
        places = [_row(context, builder, arguments[0], x) for x in arguments[1 : 2 + rows]]
        made = body(builder, *(_load(builder, p) for p in places))
        builder.store(made, places[0]).align = 8
        return context.get_dummy_value()

    return generate


def _fits(buffer: Any) -> bool:
    return bool(buffer == _BUFFER)


def _two(body: Callable[..., Any]) -> Any:
    code = _emit(body, 1)

    @intrinsic
    def instruction(context, buffer, d, a):  # type: ignore[no-untyped-def]
        del context, d, a
        return (types.void(buffer, types.intp, types.intp), code) if _fits(buffer) else None

    return instruction


def _three(body: Callable[..., Any]) -> Any:
    code = _emit(body, 2)

    @intrinsic
    def instruction(context, buffer, d, a, b):  # type: ignore[no-untyped-def]
        del context, d, a, b
        form = types.void(buffer, *(types.intp,) * 3)
        return (form, code) if _fits(buffer) else None

    return instruction


def _five(body: Callable[..., Any]) -> Any:
    code = _emit(body, 4)

    @intrinsic
    def instruction(context, buffer, d, a, b, c, e):  # type: ignore[no-untyped-def]
        del context, d, a, b, c, e
        form = types.void(buffer, *(types.intp,) * 5)
        return (form, code) if _fits(buffer) else None

    return instruction


def _larger(builder: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.fcmp_ordered(">", a, b), a, b)


def _size(builder: Any, a: Any) -> Any:
    zero = ir.Constant(_VECTOR, [0.0] * WIDTH)
    return _larger(builder, a, builder.fsub(zero, a))


def _weigh(builder: Any, total: Any, error: Any, old: Any, new: Any, atol: Any) -> Any:
    """Total plus the square of error over atol and the relative part, rtol being in `error`."""
    allowed = builder.fadd(atol, _larger(builder, _size(builder, old), _size(builder, new)))
    part = builder.fdiv(error, allowed)
    return builder.fadd(total, builder.fmul(part, part))


copy: Final[Any] = _two(lambda _b, _d, a: a)
add: Final[Any] = _two(lambda b, d, a: b.fadd(d, a))
take: Final[Any] = _two(lambda b, d, a: b.fsub(d, a))
scale: Final[Any] = _two(lambda b, d, a: b.fmul(d, a))
invert: Final[Any] = _two(lambda b, _, a: b.fdiv(ir.Constant(_VECTOR, [1.0] * WIDTH), a))
most: Final[Any] = _two(lambda b, d, a: _larger(b, d, a))
times: Final[Any] = _three(lambda b, _, a, c: b.fmul(a, c))
over: Final[Any] = _three(lambda b, _, a, c: b.fdiv(a, c))
plus: Final[Any] = _three(lambda b, d, a, c: b.fadd(d, b.fmul(a, c)))
minus: Final[Any] = _three(lambda b, d, a, c: b.fsub(d, b.fmul(a, c)))
pick: Final[Any] = _three(
    lambda b, d, a, c: b.select(b.fcmp_ordered(">", a, ir.Constant(_VECTOR, [0.0] * WIDTH)), c, d)
)
weigh: Final[Any] = _five(_weigh)


def _constant(builder: Any, number: Any) -> Any:
    zero = ir.Constant(ir.IntType(32), 0)
    one = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), number, zero)
    mask = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(one, one, mask)


@intrinsic
def _fill_row(context, buffer, d, number):  # type: ignore[no-untyped-def]
    """Every lane of row d becomes a number."""
    del context, d, number

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        del signature
        place = _row(context, builder, arguments[0], arguments[1])
        builder.store(_constant(builder, arguments[2]), place).align = 8
        return context.get_dummy_value()

    form = types.void(buffer, types.intp, types.float64)
    return (form, generate) if _fits(buffer) else None


@intrinsic
def _more(context, buffer, d, number, a):  # type: ignore[no-untyped-def]
    """Row d grows by a number times row a."""
    del context, d, number, a

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        del signature
        place = _row(context, builder, arguments[0], arguments[1])
        other = _load(builder, _row(context, builder, arguments[0], arguments[3]))
        grown = builder.fmul(_constant(builder, arguments[2]), other)
        builder.store(builder.fadd(_load(builder, place), grown), place).align = 8
        return context.get_dummy_value()

    form = types.void(buffer, types.intp, types.float64, types.intp)
    return (form, generate) if _fits(buffer) else None


fill_row: Final[Any] = _fill_row
more: Final[Any] = _more

__all__ = [
    "WIDTH", "add", "copy", "fill_row", "invert", "minus", "more", "most", "over", "pick", "plus",
    "scale", "take", "times", "weigh",
]  # fmt: skip
