"""The server's own store, but for the date at which objects are said to be added."""

import datetime

from medallion.backends.memory_backend import MemoryBackend


class DatedBackend(MemoryBackend):
    """Takes that date from the envelope (x_date_added), where it has one.

    So a test can add objects at the very date of others, or with one that is past, as
    servers do that show objects late.
    """

    def add_objects(self, api_root, collection_id, objs, request_time):
        if "x_date_added" in objs:
            request_time = datetime.datetime.fromisoformat(objs["x_date_added"])
        return super().add_objects(api_root, collection_id, objs, request_time)
