"""The pocket models: tiny trained ones of large models' classes, their picture book and training."""
