"""Two users with rows in every table, for tests of who sees what."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from kizu_support.queue import AI, IMAGE, Queue


def fill(queue: Queue, name: str) -> UUID:
    """A user with a row in every table."""
    user, photo, root, moment, person = queue.user(name), uuid4(), uuid4(), uuid4(), uuid4()
    text = "[1,0]"
    for statement, values in [
        ("insert into assets (id, user_id, sha256) values (%s, %s, 'x')", (photo, user)),
        ("insert into contacts (user_id, name) values (%s, 'c')", (user,)),
        ("insert into library_roots (id, user_id, path) values (%s, %s, '/p')", (root, user)),
        ("insert into asset_files (root_id, user_id, asset_id, path) values (%s, %s, %s, 'f')", (root, user, photo)),
        (f"insert into {AI} (user_id, asset_id) values (%s, %s)", (user, photo)),
        (f"insert into {IMAGE} (user_id, asset_id) values (%s, %s)", (user, photo)),
        ("insert into image_embeddings (user_id, asset_id, embedding) values (%s, %s, %s)", (user, photo, text)),
        ("insert into face_clusters (id, user_id, name) values (%s, %s, 'n')", (person, user)),
        (
            "insert into face_centroids (cluster_id, space, user_id, size, total) values (%s, 's', %s, 1, %s)",
            (person, user, text),
        ),
        (
            "insert into face_rules (user_id, person_id, is_not, asset_id, box) values (%s, %s, false, %s, '{}')",
            (user, person, photo),
        ),
        (
            "insert into face_reviews (user_id, kind, a, b, score) values (%s, 'merge', %s, %s, 0.5)",
            (user, person, person),
        ),
        ("insert into corrections (user_id, kind) values (%s, 'hide')", (user,)),
        ("insert into face_embeddings (user_id, asset_id, embedding) values (%s, %s, %s)", (user, photo, text)),
        ("insert into detected_objects (user_id, asset_id, label) values (%s, %s, 'cat')", (user, photo)),
        ("insert into extracted_text (user_id, asset_id, text) values (%s, %s, 'hello')", (user, photo)),
        ("insert into image_descriptions (user_id, asset_id, description) values (%s, %s, 'd')", (user, photo)),
        (
            "insert into plugin_results (user_id, asset_id, operation, plugin, version) values (%s, %s, 'o', 'p', '1')",
            (user, photo),
        ),
        ("insert into moments (id, user_id) values (%s, %s)", (moment, user)),
        ("insert into moment_assets (moment_id, asset_id) values (%s, %s)", (moment, photo)),
        ("insert into moment_history (user_id, moment_id, asset_hash) values (%s, %s, 'h')", (user, uuid4())),
        ("insert into moment_blocks (user_id, place) values (%s, 'nowhere')", (user,)),
    ]:  # fmt: skip
        queue.run(statement, *values)
    return user


@pytest.fixture
def users(queue: Queue) -> tuple[UUID, UUID]:
    """A and B, each with a row in every table."""
    return fill(queue, "a"), fill(queue, "b")
