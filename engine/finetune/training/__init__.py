"""Training: the loop, optimizers, losses, trainable parameters, run folders and reporters."""
