import diffusers
import torch

torch.manual_seed(0)


class DDIMScheduler(diffusers.DDIMScheduler):
    """Without a file of a model."""

    @classmethod
    def from_pretrained(cls, *names, **more):
        return diffusers.DDIMScheduler(beta_schedule="scaled_linear", clip_sample=False)


class unet:
    """What a network of diffusers answers with."""

    def __init__(self, x, t):
        self.sample = 0.1 * x
