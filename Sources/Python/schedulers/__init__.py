"""Schedules and samplers of diffusion models. `schedulers.plan` runs plans."""
