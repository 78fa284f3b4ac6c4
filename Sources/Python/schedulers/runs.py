"""Runs of a plan, step by step."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Generic, TypeVar

from . import _arrays, _native
from ._operators import Operators
from .errors import ArgumentError, NotFiniteError, SchedulersError, StateError
from .noise import Noise, Source
from .plans import Plan
from .steps import Query, Step

A = TypeVar("A")


class Run(Generic[A]):
    """A run of a plan from a first sample, [N, C, ...]: an array of NumPy, torch, JAX or MLX.

        run = Run(plan, x)
        for query in run:
            run.advance(network(run.input, query.timestep), noise)
        image = run.sample

    It can be forked, pickled in the middle, and gone on with to the same bits. One thread uses it at a time.

    - `in_place`: None, the default, has the C library make each step of a plain contiguous array of NumPy, or tensor of
      torch on the CPU that needs no gradient, and the array's own operators elsewhere. Every sample is a new array.
      True insists on the library, and makes each sample in the memory of `x`. False insists on operators, which keep
      gradients.
    - `keeps_denoised`: whether the library writes x̂0 for `denoised`, which takes one more array.
    - `threads`: how many threads the library may use in a step; as many as pay if None. The numbers are the same.

    Numbers: sums are made in float32 for half precision, and rounded once in a step to the sample's type, which stays.
    """

    def __init__(
        self,
        plan: Plan,
        x: A,
        *,
        in_place: bool | None = None,
        keeps_denoised: bool = True,
        threads: int | None = None,
    ) -> None:
        if not isinstance(plan, Plan):
            raise ArgumentError(f"a plan of type {type(plan).__name__}; make one with Plan.from_config or its siblings")
        if threads is not None and not 1 <= threads <= 1024:
            raise ArgumentError(f"{threads} threads; give 1 ... 1024, or None for as many as pay")
        self.plan, self.count, self.in_place = plan, 0, in_place
        self.keeps_denoised, self.threads = keeps_denoised, threads
        self._kind, self._shape = _arrays.check(x, "the sample"), tuple(x.shape)  # type: ignore[attr-defined]
        if 0 in self._shape:
            raise ArgumentError(f"the sample of shape {self._shape} has no elements")
        if plan.learns_variance and len(self._shape) < 2:
            raise ArgumentError("the plan learns its variance, so that a sample must have channels: [N, C, ...]")
        # Arrays that somebody else may hold are not written to.
        self._x, self._is_lent = x, not in_place
        self._denoised: A | None = None
        self._is_denoised_lent = not in_place
        self._made: A | None = None
        self._engine: Operators | _native.Native | None = None
        self._lock = None if _arrays.is_compiling() else threading.Lock()
        if in_place:
            _native.address(x, "the sample")
            if self._kind.name == "numpy" and not x.flags.writeable:  # type: ignore[attr-defined]
                raise ArgumentError("the sample cannot be written to; copy it, or use in_place=None")
            self._engine = self._held()

    @property
    def sample(self) -> A:
        """The current sample. Another one of its shape may take its place between steps, as in inpainting."""
        self._is_lent = not self.in_place
        return self._x

    @sample.setter
    def sample(self, x: A) -> None:
        _arrays.check_like(x, self._x, self._shape, "the new sample")
        with self._used():
            if self.in_place:
                self._x[...] = _native.fitting(x, self._x)  # type: ignore[index]
                return
            if self._made is None:
                self._made = self._x
            self._x, self._is_lent = self._kind.cast(x, self._x), True

    @property
    def step(self) -> Step | None:
        """The step that comes next; None at the end."""
        steps, count = self.plan.steps, self.count  # read once, as another thread may take a step
        return steps[count] if count < len(steps) else None

    @property
    def query(self) -> Query | None:
        """What the network is asked now; None at the end."""
        count = self.count
        return self.plan.query(count) if count < len(self.plan) else None

    @property
    def needs_noise(self) -> bool:
        """Whether the next step draws noise."""
        step = self.step
        return step is not None and step.needs_noise

    @property
    def input(self) -> A:
        """What the network is given: the sample, scaled if the network was trained on scaled ones."""
        step = self.step
        scale = step.input_scale if step else 1.0
        if scale == 1:
            return self.sample
        return self._kind.cast(self._kind.total([(scale, self._x)], self._x), self._x)  # type: ignore[no-any-return]

    @property
    def denoised(self) -> A | None:
        """x̂0 of the last step, after clipping; None before the first, and if the library does not keep it."""
        if isinstance(self._engine, Operators):
            return self._engine.denoised(self._x)
        self._is_denoised_lent = not self.in_place
        return self._denoised

    def __iter__(self) -> Iterator[Query]:
        """The query of each step, as long as `advance` is called for it."""
        while (query := self.query) is not None:
            before = self.count
            yield query
            if self.count == before:
                raise StateError(f"step {before} was not advanced; call advance for each query")

    def require(self, noise: Any) -> None:
        """Raises `StateError` if the plan draws noise and there is no source of it for the whole run."""
        if noise is not None and not isinstance(noise, Source) and not callable(noise):
            raise ArgumentError(
                f"noise of type {type(noise).__name__}; give a source, such as Philox(seed=0), or a function"
            )
        if noise is None and self.plan.is_stochastic:
            first = next(i for i, step in enumerate(self.plan.steps) if step.needs_noise)
            raise StateError(f"step {first} draws noise; give a source of noise, such as Philox(seed=0)")

    def advance(self, output: A, noise: Noise | A | None = None) -> None:
        """Makes the next sample from the network's output.

        - `output`: in the sample's shape, or with twice its channels where the plan learns its variance.
        - `noise`: standard normal noise in the sample's shape, a source of it, or a function `noise(shape, query)`. It
          is drawn only if `needs_noise`.

        Raises `ArgumentError` for arrays that do not fit, and `StateError` at the end, or if noise is missing.
        """
        with self._used():
            step, shape = self.step, self._shape
            if step is None:
                raise StateError(f"the run is at its end, after {self.count} steps; there is nothing to advance")
            wide = (shape[0], 2 * shape[1], *shape[2:]) if self.plan.learns_variance else shape
            _arrays.check_like(output, self._x, wide, "the output")
            drawn = self._drawn(step, noise)
            engine = self._engine or self._chosen(output)
            if isinstance(engine, Operators):
                if isinstance(drawn, Source):
                    drawn = drawn.next(shape, like=self._x, interval=_interval(step))
                move = self.plan.moves[self.count]
                self._x = engine.advance(self.count, step, move, self._x, self._made, output, drawn)
            else:
                self._advance(engine, output, drawn)
            self._made = None
            self.count += 1

    def _drawn(self, step: Step, noise: Any) -> Any:
        """The noise of a step, or the source of it; None where it draws none."""
        if not step.needs_noise:
            if isinstance(noise, Source) and noise.follows and self.plan.draws_noise[self.count]:
                noise.next(self._shape, interval=_interval(step))
            return None
        if noise is None:
            raise StateError(f"step {self.count} draws noise; give some, or a source of it")
        drawn = noise(self._shape, self.plan.query(self.count)) if callable(noise) else noise
        if not isinstance(drawn, Source):
            _arrays.check_like(drawn, self._x, self._shape, "the noise")
        return drawn

    def _advance(self, engine: _native.Native, output: A, drawn: Any) -> None:
        """A step by the library."""
        if _native.loses_gradient(output):
            raise StateError("the output has a gradient, which the library would lose; use in_place=False")
        x, following, denoised = self._x, None, None
        if self._is_lent and isinstance(drawn, Source):
            x = self._kind.copy(x)
        elif self._is_lent:
            following = self._kind.empty(x)
        if self.keeps_denoised:
            is_lent = self._is_denoised_lent or self._denoised is None
            denoised = self._kind.empty(self._x) if is_lent else self._denoised
        if isinstance(drawn, Source):
            with drawn.used():
                engine.advance(x, output, drawn.handle, None, denoised)
        else:
            engine.advance(x, output, drawn, following, denoised)
        self._x, self._is_lent = x if following is None else following, False
        self._denoised, self._is_denoised_lent = denoised, False

    def _chosen(self, output: A) -> Operators | _native.Native:
        """How the run makes its steps, which its first step decides."""
        self._engine = Operators(self._kind, self.plan.clipping, self.plan.learns_variance)
        if self.in_place is None and not _native.loses_gradient(output) and not _arrays.is_compiling():
            try:
                _native.address(self._x)
                self._engine = self._held()
            except SchedulersError:
                pass  # operators it is
        return self._engine

    def _held(self) -> _native.Native:
        """The run as the library holds it, from its beginning."""
        engine = _native.Native(self.plan.handle, self._x)
        if self.threads:
            engine.limit(self.threads)
        return engine

    def check(self, output: A) -> None:
        """Raises `NotFiniteError` if an output of the network holds NaN or an infinity."""
        kind = _arrays.check(output, "the output")
        if not bool(kind.xp.isfinite(output).all()):
            raise NotFiniteError(
                f"the output of step {self.count} holds NaN or an infinity; look at what the network got"
            )

    def fork(self) -> Run[A]:
        """The same run at the same step, to be gone on with in another way."""
        with self._used():
            run: Run[A] = object.__new__(Run)
            run.__dict__.update(self.__dict__, _lock=threading.Lock())
            # Either is to leave the other's arrays alone.
            self._is_lent = self._is_denoised_lent = run._is_lent = run._is_denoised_lent = not self.in_place
            if self.in_place:
                run._x = self._kind.copy(self._x)
                run._denoised = None if self._denoised is None else self._kind.copy(self._denoised)
            if isinstance(self._engine, Operators):
                run._engine = self._engine.fork()
            elif self._engine is not None:
                run._engine = self._engine.fork(run._x)
            return run

    __copy__ = fork

    def __getstate__(self) -> dict[str, Any]:
        with self._used():
            state = {key: value for key, value in self.__dict__.items() if key not in ("_lock", "_kind", "_engine")}
            if isinstance(self._engine, Operators):
                state["operators"] = (self._engine.left, self._engine.denoised_terms)
            elif self._engine is not None:
                state["native"] = self._engine.state()
            return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        operators, native = state.pop("operators", None), state.pop("native", None)
        self.__dict__.update(state, _lock=threading.Lock(), _kind=_arrays.arrays(state["_x"]), _engine=None)
        if operators is not None:
            self._engine = Operators(self._kind, self.plan.clipping, self.plan.learns_variance)
            self._engine.left, self._engine.denoised_terms = operators
        elif native is not None:
            self._engine = self._held()
            self._engine.restore(native)

    def __repr__(self) -> str:
        return f"<Run of {self.plan!r}, {self.count} steps made, on {self._shape} of {self._kind.name}>"

    def _used(self) -> AbstractContextManager[None]:
        return nullcontext() if self._lock is None else _alone(self._lock)


@contextmanager
def _alone(lock: threading.Lock) -> Iterator[None]:
    """Keeps a second thread out of a run."""
    if not lock.acquire(blocking=False):
        raise StateError("the run is in use by another thread; fork it for each")
    try:
        yield
    finally:
        lock.release()


def _interval(step: Step) -> tuple[float, float] | None:
    """The sigmas between which a step goes, if the plan says them."""
    return None if step.sigma is None or step.arrival is None else (step.sigma, step.arrival.sigma)
