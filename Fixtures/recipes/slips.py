"""Wrong runs: mistakes that ports make, each a one-line edit of a copy of diffusers' own source.

The copy lies in a temporary folder.

`slip-traces.safetensors`: `name/tensor` are the tensors of the trace `name`. The file's metadata holds JSON with, for
each name, the trace's own metadata, status 1, and the kind of mistake that a judge should name, or null for one that it
does not know. The network is the smooth function of `pipelines.py`.
"""

import importlib.util
import inspect
import json
import pathlib
import sys
import tempfile

from recipes import classes
from recipes.pipelines import STABLE, answer, prepared
from recipes.traces import save

SHAPE = (1, 4, 4, 4)
STEPS = 10
LEADING = dict(**STABLE, timestep_spacing="leading", steps_offset=1)
DDIM, DDPM, EULER = "DDIMScheduler", "DDPMScheduler", "EulerDiscreteScheduler"
ANCESTRAL, MULTI, UNIPC = "EulerAncestralDiscreteScheduler", "DPMSolverMultistepScheduler", "UniPCMultistepScheduler"
FLOW, HEUN, LMS = "FlowMatchEulerDiscreteScheduler", "HeunDiscreteScheduler", "LMSDiscreteScheduler"
PLAIN = dict(**LEADING, clip_sample=False)

# Title: class, options, arguments of the run, what is edited, into what, and the mistake to name.
SLIPS = {
    "DDIM, sign of epsilon in the direction": (
        DDIM, PLAIN, {},
        "pred_sample_direction = (1 - alpha_prod_t_prev - std_dev_t**2) ** (0.5) * pred_epsilon",
        "pred_sample_direction = -((1 - alpha_prod_t_prev - std_dev_t**2) ** (0.5)) * pred_epsilon",
        "coefficient"),
    "DDIM, direction without eta": (
        DDIM, PLAIN, {"eta": 0.7},
        "(1 - alpha_prod_t_prev - std_dev_t**2) ** (0.5) * pred_epsilon",
        "(1 - alpha_prod_t_prev) ** (0.5) * pred_epsilon",
        "coefficient"),
    "DDIM, eta squared": (
        DDIM, PLAIN, {"eta": 0.7},
        "std_dev_t = eta * variance",
        "std_dev_t = eta * eta * variance",
        "eta"),
    "DDIM, eta rooted": (
        DDIM, PLAIN, {"eta": 0.7},
        "std_dev_t = eta * variance",
        "std_dev_t = eta**0.5 * variance",
        "eta"),
    "DDIM, variance for deviation": (
        DDIM, PLAIN, {"eta": 0.7},
        "variance = std_dev_t * variance_noise",
        "variance = std_dev_t**2 * variance_noise",
        "coefficient"),
    "DDIM, x0 not divided by the signal": (
        DDIM, PLAIN, {},
        "(sample - beta_prod_t ** (0.5) * model_output) / alpha_prod_t ** (0.5)",
        "(sample - beta_prod_t ** (0.5) * model_output)",
        "coefficient"),
    "DDIM, x0 divided by the signal squared": (
        DDIM, PLAIN, {},
        "(sample - beta_prod_t ** (0.5) * model_output) / alpha_prod_t ** (0.5)",
        "(sample - beta_prod_t ** (0.5) * model_output) / alpha_prod_t",
        "coefficient"),
    "DDIM, sigma of the next step in x0": (
        DDIM, PLAIN, {},
        "(sample - beta_prod_t ** (0.5) * model_output) / alpha_prod_t ** (0.5)",
        "(sample - (1 - alpha_prod_t_prev) ** (0.5) * model_output) / alpha_prod_t ** (0.5)",
        "coefficient"),
    "DDIM, sign of v": (
        DDIM, dict(**PLAIN, prediction_type="v_prediction"), {},
        "(alpha_prod_t**0.5) * sample - (beta_prod_t**0.5) * model_output",
        "(alpha_prod_t**0.5) * sample + (beta_prod_t**0.5) * model_output",
        "coefficient"),
    "DDIM, previous timestep one off": (
        DDIM, PLAIN, {},
        "prev_timestep = timestep - self.config.num_train_timesteps // self.num_inference_steps",
        "prev_timestep = timestep - self.config.num_train_timesteps // self.num_inference_steps - 1",
        "previous-timestep"),
    "DDPM, variance for deviation": (
        DDPM, PLAIN, {},
        "** 0.5) * variance_noise",
        ") * variance_noise",
        "variance"),
    "DDPM, root of the deviation": (
        DDPM, PLAIN, {},
        "** 0.5) * variance_noise",
        "** 0.25) * variance_noise",
        "coefficient"),
    "DDPM, alpha of the mean not rooted": (
        DDPM, PLAIN, {},
        "current_sample_coeff = current_alpha_t ** (0.5) *",
        "current_sample_coeff = current_alpha_t *",
        "coefficient"),
    "DDPM, beta for its root": (
        DDPM, PLAIN, {},
        "(alpha_prod_t_prev ** (0.5) * current_beta_t) / beta_prod_t",
        "(alpha_prod_t_prev * current_beta_t) / beta_prod_t",
        "coefficient"),
    "Euler, sigma of the next step in x0": (
        EULER, LEADING, {},
        "pred_original_sample = sample - sigma_hat * model_output",
        "pred_original_sample = sample - self.sigmas[self.step_index + 1] * model_output",
        "coefficient"),
    "Euler, step upside down": (
        EULER, LEADING, {},
        "dt = self.sigmas[self.step_index + 1] - sigma_hat",
        "dt = sigma_hat - self.sigmas[self.step_index + 1]",
        "output-sign"),
    "Euler, step from the scaled input": (
        EULER, LEADING, {},
        "prev_sample = sample + derivative * dt",
        "prev_sample = sample / (sigma**2 + 1) ** 0.5 + derivative * dt",
        "coefficient"),
    "Euler, rho of Karras": (
        EULER, dict(**LEADING, use_karras_sigmas=True), {},
        "rho = 7.0",
        "rho = 5.0",
        "spacing"),
    "Euler, ends of Karras exchanged": (
        EULER, dict(**LEADING, use_karras_sigmas=True), {},
        "sigmas = (max_inv_rho + ramp * (min_inv_rho - max_inv_rho)) ** rho",
        "sigmas = (min_inv_rho + ramp * (max_inv_rho - min_inv_rho)) ** rho",
        "spacing"),
    "Euler ancestral, up not rooted": (
        ANCESTRAL, LEADING, {},
        "prev_sample = prev_sample + noise * sigma_up",
        "prev_sample = prev_sample + noise * sigma_up**2",
        "coefficient"),
    "Euler ancestral, down for to": (
        ANCESTRAL, LEADING, {},
        "dt = sigma_down - sigma\n",
        "dt = sigma_to - sigma\n",
        "coefficient"),
    "Euler ancestral, noise of sigma to": (
        ANCESTRAL, LEADING, {},
        "prev_sample = prev_sample + noise * sigma_up",
        "prev_sample = prev_sample + noise * sigma_to",
        "coefficient"),
    "DPM multistep, r0 upside down": (
        MULTI, LEADING, {},
        "r0 = h_0 / h\n",
        "r0 = h / h_0\n",
        "coefficient"),
    "DPM multistep, sign of lambda": (
        MULTI, LEADING, {},
        "h, h_0 = lambda_t - lambda_s0, lambda_s0 - lambda_s1",
        "h, h_0 = lambda_t - lambda_s0, lambda_s1 - lambda_s0",
        "coefficient"),
    "DPM multistep, half too much": (
        MULTI, LEADING, {},
        "- 0.5 * (alpha_t * (torch.exp(-h) - 1.0)) * D1",
        "- (alpha_t * (torch.exp(-h) - 1.0)) * D1",
        "coefficient"),
    "DPM multistep, base of the logarithm": (
        MULTI, LEADING, {},
        "lambda_s0 = torch.log(alpha_s0) - torch.log(sigma_s0)",
        "lambda_s0 = torch.log10(alpha_s0) - torch.log10(sigma_s0)",
        "coefficient"),
    "DPM multistep, first order only": (
        MULTI, LEADING, {},
        "if self.config.solver_order == 1 or self.lower_order_nums < 1 or lower_order_final:",
        "if True:",
        "solver-order"),
    "UniPC, no corrector": (
        UNIPC, LEADING, {},
        "use_corrector = (\n            self.step_index > 0",
        "use_corrector = (\n            self.step_index > 99",
        "solver-type"),
    "UniPC, corrector without the new output": (
        UNIPC, LEADING, {},
        "D1_t = model_t - m0",
        "D1_t = 0 * (model_t - m0)",
        "coefficient"),
    "UniPC, order not lowered at the end": (
        UNIPC, LEADING, {},
        "this_order = min(self.config.solver_order, len(self.timesteps) - self.step_index)",
        "this_order = self.config.solver_order",
        "solver-order"),
    "Flow, sign": (
        FLOW, dict(shift=3.0), {},
        "prev_sample = sample + dt * model_output",
        "prev_sample = sample - dt * model_output",
        "output-sign"),
    "Flow, shift upside down": (
        FLOW, dict(shift=3.0), {},
        "self._shift = shift",
        "self._shift = 1 / shift",
        "shift"),
    "Flow, shift applied once more": (
        FLOW, dict(shift=3.0), {},
        "            sigmas = self.shift * sigmas / (1 + (self.shift - 1) * sigmas)\n\n        # 3",
        "            sigmas = self.shift * sigmas / (1 + (self.shift - 1) * sigmas)\n            sigmas = "
        "self.shift * sigmas / (1 + (self.shift - 1) * sigmas)\n\n        # 3",
        "shift"),
    "Flow, terminal forgotten": (
        FLOW, dict(use_dynamic_shifting=True, shift_terminal=0.1), {"mu": 0.9},
        "if self.config.shift_terminal:",
        "if False:",
        "shift"),
    "Flow, velocity of the step after": (
        FLOW, dict(shift=3.0), {},
        "dt = sigma_next - sigma",
        "dt = self.sigmas[min(sigma_idx + 2, len(self.sigmas) - 1)] - sigma_next",
        "coefficient"),
    "Heun, slopes not averaged": (
        HEUN, LEADING, {},
        "derivative = (self.prev_derivative + derivative) / 2",
        "derivative = self.prev_derivative + derivative",
        "coefficient"),
    "Heun, correction missing": (
        HEUN, LEADING, {},
        "derivative = (self.prev_derivative + derivative) / 2",
        "derivative = self.prev_derivative",
        "solver-order"),
    "LMS, order too low": (
        LMS, LEADING, {},
        "order = min(self.step_index + 1, order)",
        "order = min(self.step_index + 1, 2)",
        "solver-order"),
    "LMS, order of the derivatives": (
        LMS, LEADING, {},
        "reversed(self.derivatives)",
        "self.derivatives",
        "coefficient"),
    "DDIM, thresholding of the whole batch": (
        DDIM, dict(**LEADING, clip_sample=False, thresholding=True, sample_max_value=2.0), {},
        "sample = sample.reshape(batch_size, channels * np.prod(remaining_dims))",
        "sample = sample.reshape(1, batch_size * channels * np.prod(remaining_dims))",
        "clipping"),
    "DDIM, clipped to another range": (
        DDIM, dict(**LEADING, clip_sample=True), {},
        "-self.config.clip_sample_range, self.config.clip_sample_range\n            )",
        "0.0, self.config.clip_sample_range\n            )",
        "clipping"),
    "Euler, v read with the sign of x0": (
        EULER, dict(**LEADING, prediction_type="v_prediction"), {},
        "model_output * (-sigma / (sigma**2 + 1) ** 0.5)",
        "model_output * (sigma / (sigma**2 + 1) ** 0.5)",
        "output-sign"),
    "Euler, output in half precision": (
        EULER, LEADING, {},
        "pred_original_sample = sample - sigma_hat * model_output",
        "pred_original_sample = sample - sigma_hat * model_output.bfloat16().float()",
        "precision"),
    "DDPM, noise subtracted": (
        DDPM, PLAIN, {},
        "pred_prev_sample = pred_prev_sample + variance",
        "pred_prev_sample = pred_prev_sample - variance",
        "noise-of-another-step"),
    "Euler, channels in the opposite order": (
        EULER, LEADING, {},
        "pred_original_sample = sample - sigma_hat * model_output",
        "pred_original_sample = sample - sigma_hat * model_output.flip(1)",
        "channels-exchanged"),
    "DPM multistep, samples of the batch moved on": (
        MULTI, LEADING, {},
        "x0_pred = (sample - sigma_t * model_output) / alpha_t",
        "x0_pred = (sample - sigma_t * model_output.roll(1, 0)) / alpha_t",
        "samples-exchanged"),
    "DDPM, one noise for the whole batch": (
        DDPM, PLAIN, {},
        "** 0.5) * variance_noise",
        "** 0.5) * variance_noise[:1]",
        "one-for-all"),
    "Flow, output upside down": (
        FLOW, dict(shift=3.0), {},
        "prev_sample = sample + dt * model_output",
        "prev_sample = sample + dt * model_output.flip(2)",
        "axes"),
    "DDIM, thresholding of each channel": (
        DDIM, dict(**LEADING, clip_sample=False, thresholding=True, sample_max_value=2.0), {},
        "sample = sample.reshape(batch_size, channels * np.prod(remaining_dims))",
        "sample = sample.reshape(batch_size * channels, int(np.prod(remaining_dims)))",
        "clipping"),
    "DDIM, output clipped": (
        DDIM, PLAIN, {},
        "        # 2. compute alphas, betas\n",
        "        model_output = model_output.clamp(-0.5, 0.5)\n",
        "clipping"),
    "DPM multistep, rho of Karras": (
        MULTI, dict(**LEADING, use_karras_sigmas=True), {},
        "rho = 7.0",
        "rho = 3.0",
        "spacing"),
    "DPM multistep, x0 of an exploding sample": (
        MULTI, LEADING, {},
        "x0_pred = (sample - sigma_t * model_output) / alpha_t",
        "x0_pred = sample - sigma * model_output",
        "coefficient"),
    "DPM multistep, history one too old": (
        MULTI, dict(**LEADING, solver_order=3), {},
        "m0, m1, m2 = model_output_list[-1], model_output_list[-2], model_output_list[-3]",
        "m0, m1, m2 = model_output_list[-1], model_output_list[-3], model_output_list[-3]",
        "coefficient"),
    "Flow, sigmas in bfloat16": (
        FLOW, dict(shift=3.0), {},
        "        self.sigmas = sigmas\n",
        "        self.sigmas = sigmas.bfloat16().float()\n",
        "precision"),
}
# Those that need more samples or channels, or fewer numbers: shape, steps.
SIZES = {
    "DDIM, thresholding of the whole batch": ((2, 4, 4, 4), STEPS),
    "DDIM, thresholding of each channel": ((1, 4, 4, 4), STEPS),
    "Euler, channels in the opposite order": ((1, 4, 2, 3), 5),
    "DPM multistep, samples of the batch moved on": ((3, 2, 2, 3), 5),
    "DDPM, one noise for the whole batch": ((2, 2, 2, 3), 5),
    "Flow, output upside down": ((1, 2, 3, 3), 5),
}


def edited(kind, old, new, folder):
    """A class of diffusers as it stands in a copy of its module in which one line is another."""
    path = pathlib.Path(inspect.getfile(kind))
    source = path.read_text()
    if old not in source:
        raise ValueError(f"{path.name} has no {old!r}")
    copy = pathlib.Path(folder) / path.name
    copy.write_text(source.replace(old, new))
    package = kind.__module__.rpartition(".")[0]
    spec = importlib.util.spec_from_file_location(f"{package}.slip_{path.stem}", copy)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return getattr(module, kind.__name__)


def slips():
    import record_trace
    import torch
    from safetensors import safe_open

    tensors, metadata = {}, {}
    for title, (name, options, arguments, old, new, mistake) in SLIPS.items():
        with tempfile.TemporaryDirectory() as folder, prepared(name, options):
            scheduler = edited(classes.scheduler(name), old, new, folder)(**options)
            settings = {key: arguments[key] for key in arguments if key == "mu"}
            rest = {key: arguments[key] for key in arguments if key != "mu"}
            shape, steps = SIZES.get(title, (SHAPE, STEPS))
            scheduler.set_timesteps(steps, **settings)
            sample = torch.randn(shape)
            sample = sample * float(getattr(scheduler, "init_noise_sigma", 1))
            path = pathlib.Path(folder) / "trace.safetensors"
            record_trace.record(path, scheduler, answer, sample, steps, **settings, **rest)
            with safe_open(path, "pt") as file:
                tensors.update({f"{title}/{key}": file.get_tensor(key) for key in file.keys()})
                texts = file.metadata()
        texts["scheduler_config"] = json.dumps({"_class_name": name, **options})
        metadata[title] = {"metadata": texts, "status": 1, "mistake": mistake}
    return save(tensors, metadata)


def example(is_right):
    """A trace by itself, for the documents: a right one, or one whose r0 is upside down."""
    import record_trace
    import torch

    name, options, _, old, new, _ = SLIPS["DPM multistep, r0 upside down"]
    with tempfile.TemporaryDirectory() as folder, prepared(name, options):
        scheduler = edited(classes.scheduler(name), old, old if is_right else new, folder)(**options)
        path = pathlib.Path(folder) / "trace.safetensors"
        record_trace.record(path, scheduler, answer, torch.randn(SHAPE), STEPS)
        return ordered(path.read_bytes())


def ordered(file):
    """A safetensors file with its metadata in order, which changes from run to run."""
    size = int.from_bytes(file[:8], "little")
    header = json.loads(file[8 : 8 + size])
    metadata = header.pop("__metadata__")
    text = json.dumps({"__metadata__": dict(sorted(metadata.items())), **header}).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + file[8 + size :]


FILES = {
    "slip-traces.safetensors": slips, "example-right.safetensors": lambda: example(True),
    "example-wrong.safetensors": lambda: example(False)}
