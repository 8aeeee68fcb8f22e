"""Every number by which faces are taken for a person, in one place.

Similarities are cosines of unit vectors, fitted on made-up ArcFace-like faces (`benchmarks/faces.py`), not on real
ones: two faces of one person about 0.6, two strangers about 0. `FACE_THRESHOLD`, by which a new face is matched to the
people who are known, is a setting.
"""

from __future__ import annotations

from typing import Final

# ---- whether a face is good enough to tell people apart (`quality.is_usable`) ------------------------------------

MIN_SIDE_PX: Final = 32
"""The shorter side of a face in the picture that the model saw. Recognisers look at 112 pixels: of a smaller face
most is made up by scaling.
"""

MIN_SCORE: Final = 0.6
"""How sure the detector must be that it is a face at all."""

MIN_SHARPNESS: Final = 6.0
"""Variance of the Laplacian of the aligned face (`pipeline.sharpness`). Faces blurred by motion or focus resemble each
other more than they do the person. In the real photos of the tests, clear faces have 25 to 1900, people in the
background 2 to 20; what that means for telling people apart has not been measured.
"""

# ---- the leader method (`leader.LeaderClusterer`) ----------------------------------------------------------------

JOIN: Final = 0.45
"""A face joins the person whose mean face is at least so similar."""

MERGE: Final = 0.55
"""Two groups are one person if their mean faces are at least so similar, and they are never in one photo."""

ASSIGN: Final = 0.35
"""A face that is left over joins a person whose mean face is at least so similar: better than standing alone."""

MANY: Final = 4
"""Faces that make a group one which others may be assigned to."""

# ---- who keeps what (`dealing.Dealing`) --------------------------------------------------------------------------

NEARLY_ALL: Final = 0.9
"""Of a group's faces: so many with one person who is kept make the group that person's."""

FAIR_PART: Final = 0.25
"""Of the faces that the user called a person: so many in one group make it that person's, if nobody has more there."""

# ---- what people are asked about (`reviews.reviews_of`) ----------------------------------------------------------

MAY_BE_ONE: Final = 0.40
"""Two people whose mean faces are so similar, and who are never in one photo, may be one person: as similar as a new
face must be to join somebody, by the default of `FACE_THRESHOLD`.
"""

MAY_BE_TWINS: Final = 0.5
"""Two people whose mean faces are so similar, and who are in one photo, may be siblings whose faces are mixed up."""

MOST_REVIEWS: Final = 500
"""More than anybody goes through."""
