"""The fast engine: event-driven integer kernels, batched over samples and layers."""
