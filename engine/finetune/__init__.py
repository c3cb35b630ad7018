"""Training and finetuning: from candles to a checkpoint, and a comparison with a baseline.

``python -m engine.finetune --help`` describes the command line; docs/finetuning.md is the guide. From the top down:

* ``__main__``, ``launch``, ``run``: the command line, training processes, and the stages of one run;
* ``evaluation``: validation loss, forecasts of held-out windows, comparison, calibration;
* ``training``: the loop, losses, optimizers, trainable parameters, the run folder;
* ``data``: candles in memory-mapped arrays, the split in time, windows and augmentation;
* ``options``, ``config``: settings.
"""
