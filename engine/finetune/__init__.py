"""Training and finetuning: candles to a checkpoint, and whether it helped. ``python -m engine.finetune --help``.

From the top down: ``__main__`` (command line), ``launch`` (processes), ``run`` (stages of one run), ``loop`` (the one
training loop), ``compare`` and ``evaluate`` (forecasts of held-out windows against baselines), ``losses``, ``parts``
(what is trained), ``optim``, ``state`` (checkpoints of a run), ``windows`` (which candles make a step), ``split``,
``store`` (candles as mapped arrays), ``candles`` and ``qlib`` (where they come from), ``config`` and ``options``
(settings), ``scores`` (pure measures and the random walk).
"""
