"""Training data: readers of candles, memory-mapped storage, splits, windows and augmentation."""
