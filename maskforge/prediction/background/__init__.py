"""Backgrounds: what is kept gets soft edges, and something else is put behind it.

    alpha = matte(probability, image)               # (H, W), from 0 to 1
    picture = put(image, alpha, Color((0, 90, 60)))  # (H, W, 3)

Nothing here needs torch: what says where the foreground is may be a network or a mask.
"""

from __future__ import annotations

from maskforge.prediction.background.backdrops import Backdrop as Backdrop
from maskforge.prediction.background.backdrops import Blur as Blur
from maskforge.prediction.background.backdrops import Color as Color
from maskforge.prediction.background.backdrops import Length as Length
from maskforge.prediction.background.backdrops import Picture as Picture
from maskforge.prediction.background.backdrops import Transparent as Transparent
from maskforge.prediction.background.backdrops import put as put
from maskforge.prediction.background.edges import guided_filter as guided_filter
from maskforge.prediction.background.edges import matte as matte
from maskforge.prediction.background.foregrounds import Drawn as Drawn
from maskforge.prediction.background.foregrounds import Foreground as Foreground
from maskforge.prediction.background.foregrounds import Predicted as Predicted
from maskforge.prediction.background.swapping import COMMAND as COMMAND
from maskforge.prediction.background.swapping import Settings as Settings
from maskforge.prediction.background.swapping import place as place
from maskforge.prediction.background.swapping import swap as swap
from maskforge.prediction.background.swapping import swap_into as swap_into
