"""The sub-commands of ``lavadeploy``, one module each."""
