"""Plans: the coefficients of a sampling run, from a configuration, a released model, a sampler's name or a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from . import _library
from . import plan as _format
from ._json import Config, camel, configuration, decoded, dumps, loads
from ._program import Move, moves
from .errors import ArgumentError, JSONError, SchedulersError
from .steps import Clipping, Level, Query, Step, clipping_of, level_of, step_of

if TYPE_CHECKING:
    from .noise import Noise

A = TypeVar("A")


class Plan:
    """Every number of a run: how often the network is called, what it is told, and what is made of its answers.

    A plan is immutable. Two are equal if their numbers are, whatever they were made from; it can be a key, be pickled
    and be sent to other programs as JSON.

        plan = Plan.from_config("scheduler_config.json", steps=28)
        image = plan.sample(plan.initial_scale * noise, network)

    - `steps`: the calls of the network, in order.
    - `initial_scale`: the deviation of the first sample: a run from noise starts from `initial_scale` times standard
      normal noise.
    - `start`: the level of the first sample: a run from a picture starts from signal·picture + noise·z.
    - `clipping`: what is done to x̂0.
    - `learns_variance`: whether outputs have twice a sample's channels: the prediction, then that of the variance.
    - `is_stochastic`: whether a step draws noise.
    - `provenance`: what the plan was made from; empty where it does not say.
    """

    __slots__ = (
        "steps",
        "initial_scale",
        "start",
        "clipping",
        "learns_variance",
        "is_stochastic",
        "provenance",
        "_text",
        "_handle",
        "_moves",
        "_draws",
    )
    steps: tuple[Step, ...]
    initial_scale: float
    start: Level | None
    clipping: Clipping
    learns_variance: bool
    is_stochastic: bool
    provenance: Mapping[str, Any]
    _text: str
    _handle: _library.Handle | None
    _moves: tuple[Move, ...] | None
    _draws: tuple[bool, ...] | None

    def __init__(self, text: str, handle: _library.Handle | None = None) -> None:
        """Use `from_json` and its siblings; this takes the text of a plan."""
        for name, value in _numbers(text).items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "_text", text)
        object.__setattr__(self, "_handle", handle)
        object.__setattr__(self, "_moves", None)
        object.__setattr__(self, "_draws", None)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a plan is immutable; make another one instead of setting {name}")

    @classmethod
    def from_config(
        cls,
        config: Config,
        steps: int | None = None,
        *,
        strength: float | None = None,
        timesteps: Sequence[float] | None = None,
        sigmas: Sequence[float] | None = None,
        mu: float | None = None,
        fidelity: str = "corrected",
        **arguments: Any,
    ) -> Plan:
        """The plan of a configuration of diffusers, guided-diffusion or k-diffusion.

        - `config`: a path of a scheduler_config.json or of the folder it is in, its contents, or a dict of them.
        - `steps`: how many, or those that the configuration names.
        - `strength`, `timesteps`, `sigmas`, `mu` and `arguments`: what a pipeline gives to `set_timesteps` and `step`,
          with diffusers' names.
        - `fidelity`: `"corrected"` for the mathematics of the papers, `"diffusers"` for what diffusers 0.42.1 does.

        Raises `RequestError` for a class or option that is not there, `FileError` or `JSONError` for a file that cannot
        be read, and `LibraryError` without the C library.
        """
        given = {"strength": strength, "timesteps": timesteps, "sigmas": sigmas, "mu": mu, **arguments}
        return cls._requested({"configuration": configuration(config)}, steps, fidelity, given)

    @classmethod
    def from_preset(
        cls,
        name: str,
        steps: int | None = None,
        *,
        tokens: int | None = None,
        fidelity: str = "corrected",
        **arguments: Any,
    ) -> Plan:
        """The plan of a released model, such as `"flux.1-dev"`, as its own pipeline asks for it.

        - `steps`: how many; the pipeline's own if None.
        - `tokens`: of the picture or video, of which some pipelines make a shift; one of the usual size if None.
        - `arguments`: what takes the place of all that the pipeline gives to `set_timesteps`.

        `schedulers.catalog()["presets"]` names the models.
        """
        request: dict[str, Any] = {"preset": name} | ({} if tokens is None else {"tokens": tokens})
        return cls._requested(request, steps, fidelity, arguments)

    @classmethod
    def from_sampler(
        cls,
        sampler: str,
        *,
        steps: int | None = None,
        schedule: str | None = None,
        spacing: str | None = None,
        prediction: str | None = None,
        **options: Any,
    ) -> Plan:
        """The plan of a sampler, on a noise schedule, at timesteps of a spacing, for what a network predicts.

            Plan.from_sampler("dpm++2m", schedule="scaled-linear", spacing="trailing", steps=20)

        `options` are the other keys of a request with a sampler, which Docs/C.md lists, such as `timesteps=1000`,
        `zero_terminal_snr=True`, `sigmas=[...]`, `eta=0.5`, `clipping="static"` or `strength=0.6`.
        `schedulers.catalog()` has all names.
        """
        request = {"schedule": schedule, "spacing": spacing, "prediction": prediction, **options}
        named = {camel(key): value for key, value in request.items() if value is not None}
        return cls._requested({"sampler": sampler, **named}, steps, None, {})

    @classmethod
    def from_json(cls, text: str | bytes | Mapping[str, Any]) -> Plan:
        """A plan in the format scheduler-plan/1, as JSON or as what `json.loads` makes of it. It needs no C library.

        Raises `JSONError` for another format or version, or numbers that cannot be run.
        """
        if isinstance(text, Mapping):
            text = dumps(text, "the plan")
        elif not isinstance(text, (str, bytes)):
            raise ArgumentError(f"a plan of type {type(text).__name__}; give the JSON of one")
        return cls(text if isinstance(text, str) else decoded(text, "the plan"))

    @classmethod
    def _requested(
        cls, request: dict[str, Any], steps: int | None, fidelity: str | None, given: Mapping[str, Any]
    ) -> Plan:
        if steps is not None:
            request["steps"] = steps
        if fidelity is not None:
            request["fidelity"] = fidelity
        arguments = {key: value for key, value in given.items() if value is not None}
        if arguments:
            request["arguments"] = arguments
        handle = _library.made("plan", dumps(request, "the request"))
        return cls(_library.text("schedulers_plan_json", handle), handle)

    def json(self) -> str:
        """The plan in the format scheduler-plan/1, which Docs/Plan.md describes."""
        return self._text

    @property
    def timesteps(self) -> tuple[float, ...]:
        """What the network is told in each call."""
        return tuple(step.timestep for step in self.steps)

    @property
    def draws_noise(self) -> tuple[bool, ...]:
        """Whether the library that the plan's configuration is of takes noise from its generator in each step.

        It may where the step needs none, and then who has that library's noise draws there too. Without the C library,
        these are the steps that need noise.
        """
        if self._draws is None:
            try:
                object.__setattr__(self, "_draws", _library.draws(self.handle, len(self)))
            except SchedulersError:
                object.__setattr__(self, "_draws", tuple(step.needs_noise for step in self.steps))
        return self._draws or ()

    def query(self, step: int) -> Query:
        """What the network is asked in a call, 0 <= step < the number of steps."""
        if not 0 <= step < len(self.steps):
            raise ArgumentError(f"step {step} of a plan with {len(self.steps)}")
        s = self.steps[step]
        return Query(
            step,
            len(self.steps),
            s.timestep,
            s.next_timestep,
            s.input_scale,
            s.level,
            s.arrival,
            s.sigma,
            s.needs_noise,
        )

    def sample(
        self,
        x: A,
        model: Callable[[A, float], A],
        noise: Noise | None = None,
        *,
        in_place: bool | None = None,
        check: bool = False,
    ) -> A:
        """Runs the plan from `x` to the end, and returns the last sample.

        - `x`: the first sample, [N, C, ...], of NumPy, torch, JAX or MLX.
        - `model`: called as `model(x, timestep)` with the scaled sample and a float, in each step once. It returns an
          array in the sample's shape, or with twice its channels where the plan learns its variance.
        - `noise`: where noise comes from if the plan is stochastic: a source of `schedulers.noise`, or a function
          `noise(shape, query)` that returns an array.
        - `in_place`, `check`: see `Run`.
        """
        from .runs import Run

        run = Run(self, x, in_place=in_place, keeps_denoised=False)
        run.require(noise)
        for query in run:
            output = model(run.input, query.timestep)
            if check:
                run.check(output)
            run.advance(output, noise)
        return run.sample

    async def sample_async(self, x: A, model: Callable[[A, float], Any], noise: Noise | None = None) -> A:
        """The same with a `model` whose answers are awaited."""
        from .runs import Run

        run = Run(self, x, keeps_denoised=False)
        run.require(noise)
        for query in run:
            run.advance(await model(run.input, query.timestep), noise)
        return run.sample

    @property
    def moves(self) -> tuple[Move, ...]:
        """The steps with their lines folded together, for `Run`."""
        if self._moves is None:
            object.__setattr__(self, "_moves", moves(self.steps, self.clipping))
        return self._moves or ()

    @property
    def handle(self) -> _library.Handle:
        """The plan in the C library."""
        if self._handle is None:
            object.__setattr__(self, "_handle", _library.made("plan", self._text))
        assert self._handle is not None
        return self._handle

    @property
    def _key(self) -> tuple[Any, ...]:
        return (self.initial_scale, self.start, self.clipping, self.learns_variance, self.steps)

    def __eq__(self, other: object) -> bool:
        return self._key == other._key if isinstance(other, Plan) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key)

    def __len__(self) -> int:
        return len(self.steps)

    def __repr__(self) -> str:
        made_from = self.provenance
        source = made_from.get("sampler") or made_from.get("configuration", {}).get("_class_name") or "a file"
        return f"<Plan of {source}: {len(self)} steps, {'stochastic' if self.is_stochastic else 'deterministic'}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return (Plan.from_json, (self._text,))


def _numbers(text: str) -> dict[str, Any]:
    """What a plan says, if it can be run."""
    values = loads(text, "the plan")
    try:
        _format.check(values)  # type: ignore[no-untyped-call]
        steps = tuple(map(step_of, values["steps"]))
        return {
            "steps": steps,
            "initial_scale": float(values["initialScale"]),
            "start": level_of(values.get("start")),
            "clipping": clipping_of(values["clipping"]),
            "learns_variance": values["learnsVariance"],
            "is_stochastic": any(step.needs_noise for step in steps),
            "provenance": dict(values.get("provenance") or {}),
        }
    except _format.PlanError as error:
        raise JSONError(str(error)) from None
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise JSONError(f"the plan is not as the format says, {error!r}; make it again") from None
