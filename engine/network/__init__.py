"""The neural networks: tokenizer, decoder-only transformer, and the layers and kernels under them."""
