"""Numba's compiler with types that a type checker can read."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar, cast

from filelock import FileLock
from llvmlite import ir
from numba import njit, typeof, types
from numba.core import cgutils
from numba.extending import intrinsic

# forceinline is always said: what an inlined function calls would take it over.
# Nobody calls from C, and what is divided by zero is no error of Python's.
NUMBERS: Final[dict[str, Any]] = {"no_cfunc_wrapper": True, "error_model": "numpy"}

# For functions that make no arrays: no counts of references to them (a private option of numba).
UNCOUNTED: Final[dict[str, Any]] = {"_nrt": False}

SLOW: Final = 1.0  # seconds after which a compilation is announced
LONGEST: Final = 900.0  # seconds that another process may take for it

log = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function at its first call, and keep the machine code on disk for the next."""
    return cast(Callable[P, R], njit(cache=True, forceinline=False, **NUMBERS)(function))


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a small function into whatever calls it."""
    return cast(Callable[P, R], njit(cache=True, forceinline=True, **NUMBERS)(function))


def keyed(function: Callable[..., Any], key: int, **options: Any) -> Any:
    """Compile a function of one tuple, kept on disk under a key.

    The key is in its name there. A small function that calls it would do as well, but what is
    called is compiled twice: by itself, and as part of its caller.
    """
    function.__qualname__ = f"{function.__name__}_{key:x}"
    return njit(cache=True, forceinline=False, **options)(function)


def uncached(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function that is called from compiled code only and makes no arrays.

    Without counts of references to arrays, which its callers hold.
    """
    options = {"no_cfunc_wrapper": True, "no_cpython_wrapper": True, **UNCOUNTED}
    return cast(Callable[P, R], njit(forceinline=False, **options)(function))


@contextmanager
def announced(what: str) -> Iterator[None]:
    """Say that something is being compiled, if it takes long."""
    notice = threading.Timer(SLOW, log.warning, [f"compiling {what}, once for this version"])
    notice.daemon = True
    notice.start()
    try:
        yield
    finally:
        notice.cancel()


@contextmanager
def alone(program: Any) -> Iterator[None]:
    """Let other processes wait that need the same program: one compiles it, they read it.

    Where the folder of the cache takes no locks, each compiles for itself.
    """
    lock: FileLock | None = None
    try:
        folder = Path(program.stats.cache_path)
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f"{program.__module__}.lock", timeout=LONGEST)
        lock.acquire()
    except (OSError, NotImplementedError):  # filelock's Timeout is an OSError
        lock = None
    try:
        yield
    finally:
        if lock is not None:
            lock.release()


def announcing(program: Any, what: str) -> Callable[[tuple[Any, ...]], Any]:
    """A program of one tuple of arguments that says so when it has to be compiled first."""
    ready = threading.Lock()

    def run(arguments: tuple[Any, ...]) -> Any:
        if not program.overloads:
            with ready, announced(what), alone(program):
                program.compile((typeof(arguments),))  # type: ignore[no-untyped-call]
        return program(arguments)

    return run


def _apart(_: Any) -> Any:
    """Called in a function: keep it out of its callers' code, which it would only make long."""

    def mark(context: Any, builder: Any, _: Any, __: Any) -> Any:
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.none(), mark


apart: Final[Any] = intrinsic(_apart)


def _at(_: Any, records: Any, place: Any) -> Any:
    """The record at a place. A plain index may be negative, which is asked at every access."""

    def get(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, place_type = signature.args
        array = context.make_array(kind)(context, builder, arguments[0])
        place = context.cast(builder, arguments[1], place_type, types.intp)
        return context.unpack_value(builder, kind.dtype, builder.gep(array.data, [place]))

    return records.dtype(records, place), get


at: Final[Any] = intrinsic(_at)


def _soon(_: Any, records: Any, place: Any) -> Any:
    """Bring the record at a place near, which will be asked for soon. Any place may be said."""

    def ask(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, place_type = signature.args
        array = context.make_array(kind)(context, builder, arguments[0])
        place = context.cast(builder, arguments[1], place_type, types.intp)
        insert: Any = cgutils.get_or_insert_function
        number, address = ir.IntType(32), ir.IntType(8).as_pointer()
        wanted = ir.FunctionType(ir.VoidType(), [address, number, number, number])
        prefetch = insert(builder.module, wanted, "llvm.prefetch.p0")
        where = builder.bitcast(builder.gep(array.data, [place]), address)
        builder.call(prefetch, [where, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.none(records, place), ask


soon: Final[Any] = intrinsic(_soon)


def _seldom(_: Any, __: Any) -> Any:
    """What is asked, which mostly is not so: the code that follows is put out of the way."""

    def ask(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        flag = ir.IntType(1)
        answer = context.cast(builder, arguments[0], signature.args[0], types.boolean)
        kind = ir.FunctionType(flag, [flag, flag])
        insert: Any = cgutils.get_or_insert_function
        return builder.call(insert(builder.module, kind, "llvm.expect.i1"), [answer, flag(0)])

    return types.boolean(__), ask


seldom: Final[Any] = intrinsic(_seldom)


@cache
def stamp(*files: str) -> int:
    """A number that changes with the content of files.

    Numba's cache looks at the file of the cached function alone, not at what it calls.
    """
    content = hashlib.blake2b(digest_size=7)
    for file in files:
        content.update(Path(file).read_bytes())
    return int.from_bytes(content.digest(), "little")
