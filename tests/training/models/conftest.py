"""Networks of segmentation-models-pytorch need torchvision."""

import torchvision_ops

torchvision_ops.declare()
