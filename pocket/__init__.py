"""The pocket models: tiny, of large models' classes; their picture book and their training."""
