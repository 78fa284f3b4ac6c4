scheduler plan --sampler dpm++2m --steps 20 --format json >plan.json
scheduler plan --sampler dpm++2m --steps 20 --format c >plan.inc
echo '{"_class_name": "EulerDiscreteScheduler", "beta_schedule": "scaled_linear"}' >scheduler_config.json
