"""The pocket model: a tiny trained Flux 1 class model, its picture book and its training."""
