echo '{"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3.0}' >scheduler_config.json
