"""What the tests of this folder share."""

import hypothesis

hypothesis.settings.register_profile("untimed", deadline=None)  # a busy machine is not a defect
hypothesis.settings.load_profile("untimed")
