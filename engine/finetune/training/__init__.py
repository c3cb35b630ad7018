"""The training loop and its parts: optimizers, losses, trainable parameters, run folders, reporters."""
