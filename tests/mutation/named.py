"""Mistakes that once went unnoticed, or that the law of ownership forbids; each is made by name."""

from __future__ import annotations

from typing import NamedTuple

_LAW = ("io/test_stage.py io/test_ownership.py test_law.py", "conversion", "fuzz/test_history.py")
_RESUME = ("conversion/test_sinks_run.py", "fuzz/test_history.py")
_SHELF = ("io/test_shelf.py", *_LAW)
_TRAINING = ("training/test_loop.py",)


class Named(NamedTuple):
    """file: below maskforge/; before: text that stands there once. tests: groups, below tests/."""

    name: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]


NAMED: tuple[Named, ...] = (
    # What once went unnoticed
    Named(
        "a file of the earlier output is not removed",
        "io/exchange.py",
        "                    (self.folder / step[1]).unlink()\n",
        "                    pass\n",
        _LAW,
    ),
    Named(
        "an image that changed is not seen on resume",
        "conversion/image.py",
        "        size,\n        is_digest,\n",
        '        size,\n        record.get("image_digest"),\n',
        _RESUME,
    ),
    Named(
        "an annotation that changed is not seen on resume",
        "conversion/image.py",
        "        annotation.digest,\n",
        '        record.get("digest"),\n',
        _RESUME,
    ),
    Named(
        "of several planes the highest id wins",
        "readers/masks/decoding.py",
        "in reversed(range(planes.shape[2])):",
        "in range(planes.shape[2]):",
        ("readers/masks/test_decoding.py", "readers/masks datasets"),
    ),
    Named(
        "labels are resized half a pixel off",
        "prediction/sizes.py",
        "(np.arange(new) + 0.5) * (old / new)",
        "np.arange(new) * (old / new)",
        ("prediction/test_sizes.py", *_TRAINING),
    ),
    Named(
        "automatic class weights are off",
        "training/losses.py",
        'method = "enet" if by_pixel and rare else "none"',
        'method = "none"',
        ("training/test_losses.py", *_TRAINING),
    ),
    Named(
        "automatic class weights are always on",
        "training/losses.py",
        'method = "enet" if by_pixel and rare else "none"',
        'method = "enet"',
        ("training/test_losses.py", *_TRAINING),
    ),
    Named(
        "class weights do not reach the loss",
        "training/run.py",
        "            weight=weight,\n",
        "            weight=None,\n",
        ("training/test_run.py", *_TRAINING),
    ),
    Named(
        "norms and biases decay",
        "training/optim.py",
        '"weight_decay": 0.0}',
        '"weight_decay": config.weight_decay}',
        ("training/test_optim.py", *_TRAINING),
    ),
    Named(
        "nothing decays",
        "training/optim.py",
        'if p.ndim > 1], "weight_decay": config.weight_decay}',
        'if p.ndim > 1], "weight_decay": 0.0}',
        ("training/test_optim.py", *_TRAINING),
    ),
    Named(
        "gradients are not clipped",
        "training/loop.py",
        "        if config.clip:\n",
        "        if not config.clip:\n",
        ("training/test_loop.py",),
    ),
    Named(
        "pictures show the first images only",
        "training/run.py",
        "return [at * len(self.data.val) // count for at in range(count)]",
        "return list(range(count))",
        ("training/test_run.py", *_TRAINING),
    ),
    Named(
        "pictures show what another process does not",
        "training/run.py",
        "count = min(run_files.IMAGES, len(self.data.val))",
        "count = min(run_files.IMAGES, -(-len(self.data.val) // self.ranks.count))",
        ("training/test_run.py", *_TRAINING),
    ),
    Named(
        "one as good as the best is the best",
        "training/run.py",
        "best = score > self.best",
        "best = score >= self.best",
        ("training/test_run.py", *_TRAINING),
    ),
    # What the law forbids
    Named(
        "a hidden folder from elsewhere is begun in",
        "io/stage.py",
        "        self.look()\n        self._refuse_unbound()\n        try:\n",
        "        self.look()\n        try:\n",
        _LAW,
    ),
    Named(
        "a hidden folder from elsewhere is settled",
        "io/stage.py",
        "        self._refuse_unbound()\n        self._take_lock()\n",
        "        self._take_lock()\n",
        _LAW,
    ),
    Named(
        "workers of a run that was killed find their way to the shelf",
        "io/stage.py",
        'root = self.place / f"files-{number + 1}"',
        'root = self.place / f"files-{number or 1}"',
        _LAW,
    ),
    Named(
        "what somebody changed is replaced",
        "io/ownership.py",
        'if state == "changed":',
        "if False:",
        _LAW,
    ),
    Named(
        "an input of ours is replaced",
        "io/ownership.py",
        'if state == "foreign" or is_input:',
        'if state == "foreign":',
        _LAW,
    ),
    Named(
        "an input is not told from a stranger's file",
        "io/ownership.py",
        "is_input = os.path.realpath(self.folder / name) in self.sources",
        "is_input = False",
        _LAW,
    ),
    Named(
        "an input that the new output has not is removed",
        "io/exchange.py",
        "        if os.path.realpath(self.folder / name) in self._standing.sources:\n",
        "        if False:\n",
        _LAW,
    ),
    Named(
        "a file is taken for the same unread",
        "io/shelf.py",
        "if file.read(len(data) + 1) == data:",
        "if True:",
        _SHELF,
    ),
    Named(
        "a file that grew is taken for the same",
        "io/shelf.py",
        "file.read(len(data) + 1)",
        "file.read(len(data))",
        _SHELF,
    ),
    Named(
        "an image is taken for the same unread",
        "io/shelf.py",
        "if linked or digest_of(target)[:2] == entry[:2]:",
        "if True:",
        _SHELF,
    ),
    Named(
        "a file of a program's is taken for the same unread",
        "io/shelf.py",
        "if digest_of(os.path.join(self.folder, name))[:2] == entry[:2]:",
        "if True:",
        _SHELF,
    ),
    Named(
        "a link is taken for the copy that is asked for",
        "io/shelf.py",
        " and linked == link:",
        ":",
        _SHELF,
    ),
    Named(
        "a lock on a file that was removed is held",
        "io/lock.py",
        "current = held and os.path.samestat(os.fstat(file), os.stat(self._path))",
        "current = held",
        ("io/test_lock.py",),
    ),
    Named(
        "a lock in a folder that was moved guards the new one",
        "io/lock.py",
        "return self._file is not None and os.path.samestat(\n"
        "                os.fstat(self._file), os.stat(self._path)\n            )",
        "return self._file is not None",
        ("io/test_lock.py",),
    ),
    Named(
        "a file of all images counts as whole on resume",
        "conversion/image.py",
        'record.get("mask") == places.mask',
        'record.get("mask") in (None, places.mask)',
        _RESUME,
    ),
    Named(
        "what a killed run noted is there without a look",
        "conversion/sinks.py",
        '        if taken:\n            return self.stage.owned.state(name) == "ours"\n'
        "        return self.stage.is_staged(name, entry)\n",
        "        return True\n",
        _RESUME,
    ),
    Named(
        "what a killed run took over is there without a look",
        "conversion/sinks.py",
        'return self.stage.owned.state(name) == "ours"',
        "return True",
        _RESUME,
    ),
    Named(
        "what waits on the shelf is whole without a look",
        "conversion/sinks.py",
        "        return self.stage.is_staged(name, entry)\n",
        "        return True\n",
        _RESUME,
    ),
    Named(
        "just as much room as is needed is too little",
        "conversion/sinks.py",
        "if needed > free and",
        "if needed >= free and",
        ("conversion/test_sinks_room.py",),
    ),
    Named(
        "room is not looked at",
        "conversion/sinks.py",
        "if needed > free and",
        "if needed < free and",
        ("conversion/test_sinks_room.py",),
    ),
    Named(
        "images of another size that stand count as standing",
        "conversion/sinks.py",
        "(standing is None or standing.size != size)",
        "standing is None",
        ("conversion/test_sinks_room.py",),
    ),
    Named(
        "as many labels as there are ids are too many",
        "conversion/labels.py",
        "if len(some) <= MOST_LABELS",
        "if len(some) < MOST_LABELS",
        ("conversion/test_labels.py",),
    ),
    Named(
        "there is one id more than there is",
        "conversion/sources.py",
        "MOST_LABELS = HIGHEST_ID",
        "MOST_LABELS = HIGHEST_ID + 1",
        ("conversion/test_labels.py",),
    ),
    Named(
        "a worker that died while idle ends the run",
        "engines/processes.py",
        "with suppress(BrokenPipeError, ConnectionResetError):",
        "with suppress(ConnectionResetError):",
        ("engines/test_processes.py",),
    ),
)
