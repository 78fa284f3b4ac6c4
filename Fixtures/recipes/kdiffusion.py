"""Runs of k-diffusion's samplers, which a judge must find right.

`kdiffusion-traces.safetensors`: `name/tensor` are the tensors of the trace `name`, one row for each call of the model.
The file's metadata holds JSON with the metadata of each trace. The network is the smooth function of `pipelines.py`,
and takes the place of what finds x0, or of what predicts epsilon, v or the flow. Samplers that draw noise do so on the
processes of k-diffusion alone: on rectified flow its steps would leave the line. Those of a Brownian path have one.
"""

import pathlib
import tempfile

from recipes.pipelines import SHAPE, Tree, answer
from recipes.traces import save

# From Stable Diffusion's first sigma to its last by Karras' spacing, and flow's times with a shift of 3.
STEPS = 8
EXPLODING, FLOW = ("eps", "v"), ("eps", "v", "flow")
SAMPLERS = [
    ("euler", FLOW, [{}, dict(s_churn=6.0, s_tmin=0.1, s_tmax=10.0, s_noise=1.01)]),
    ("euler_ancestral", EXPLODING, [{}, dict(eta=0.6, s_noise=0.9), dict(eta=0.0)]),
    ("heun", FLOW, [{}, dict(s_churn=40.0, s_tmin=0.05, s_noise=1.003)]),
    ("dpm_2", FLOW, [{}, dict(s_churn=3.0, s_tmax=50.0)]),
    ("dpm_2_ancestral", EXPLODING, [{}, dict(eta=0.5, s_noise=1.1)]),
    ("lms", FLOW, [{}, dict(order=2)]),
    ("dpmpp_2s_ancestral", EXPLODING, [{}, dict(eta=0.4, s_noise=0.95), dict(eta=0.0)]),
    ("dpmpp_sde", EXPLODING, [{}, dict(eta=0.7, s_noise=1.05), dict(eta=0.0), dict(r=0.4)]),
    ("dpmpp_2m", FLOW, [{}]),
    ("dpmpp_2m_sde", EXPLODING, [{}, dict(eta=0.5, s_noise=1.02), dict(eta=0.0), dict(solver_type="heun")]),
    ("dpmpp_3m_sde", EXPLODING, [{}, dict(eta=0.3, s_noise=0.98), dict(eta=0.0)]),
]
BROWNIAN = ("dpmpp_sde", "dpmpp_2m_sde", "dpmpp_3m_sde")


def sigmas_of(process):
    import torch
    from recipes.plans import load_k_diffusion

    sampling = load_k_diffusion()
    if process == "flow":
        times = torch.linspace(1, 1 / STEPS, STEPS)
        return sampling.append_zero(3 * times / (1 + 2 * times))
    return sampling.get_sigmas_karras(STEPS, 0.0291675, 14.614642)


def traces():
    import record_trace
    import torch
    from recipes.plans import load_k_diffusion
    from safetensors import safe_open

    load_k_diffusion()
    bundle, metadata = {}, {}

    def add(label, sampler, process, output, sigmas, arguments):
        torch.manual_seed(11)
        sample = torch.randn(SHAPE) * (1 if process == "flow" else float(sigmas[0]))
        settings = dict(arguments)
        if sampler in BROWNIAN:
            settings["noise_sampler"] = Tree(sample)
        # The network is one for sigmas between 0 and 1000.
        model = lambda x, sigma, **_: answer(x, 60 * float(sigma.flatten()[0]))
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "trace.safetensors"
            record_trace.record_kdiffusion(path, sampler, sigmas, model, sample, process, output, **settings)
            with safe_open(path, "pt") as file:
                bundle.update({f"{label}/{key}": file.get_tensor(key) for key in file.keys()})
                metadata[label] = {"metadata": file.metadata(), "status": 0}

    with torch.random.fork_rng(devices=[]):
        for sampler, processes, choices in SAMPLERS:
            for number, arguments in enumerate(choices):
                # Every process and output with the defaults, and other arguments with one of them each.
                kinds = [(process, output) for process in processes for output in ("denoised", "model")]
                for process, output in kinds if not number else kinds[number % 2 :: 3]:
                    asked = "".join(f", {key} {value}" for key, value in arguments.items())
                    label = f"{sampler}, {process}, {output}{asked}"
                    add(label, sampler, process, output, sigmas_of(process), arguments)
            # A run that ends before clean data.
            add(f"{sampler}, eps, model, ends noisy", sampler, "eps", "model", sigmas_of("eps")[:-1], {})
    return save(bundle, metadata)


FILES = {"kdiffusion-traces.safetensors": traces}
