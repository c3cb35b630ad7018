"""Training data: readers, memory-mapped candles, splits, windows and augmentation."""
