"""The pictures in the database, by their SHA-256. What is there and hashes to something else is not there."""

import psycopg

from labels.catalogue.picture import MEDIA_TYPE, Picture


def keep(connection: psycopg.Connection, picture: Picture) -> None:
    """Store a picture; nothing is committed."""
    connection.execute(
        "insert into product_picture (sha256, media_type, width, height, data) values (%s, %s, %s, %s, %s)"
        " on conflict do nothing",
        [picture.sha256, MEDIA_TYPE, picture.width, picture.height, picture.data],
    )


def size(connection: psycopg.Connection, sha256: bytes) -> tuple[int, int] | None:
    """A picture's width and height in pixels, if it is here."""
    query = "select width, height from product_picture where sha256 = %s and sha256(data) = sha256"
    row = connection.execute(query, [sha256]).fetchone()
    return (row[0], row[1]) if row else None


def load(connection: psycopg.Connection, sha256: bytes) -> bytes | None:
    """A picture, if it is here."""
    query = "select data from product_picture where sha256 = %s and sha256(data) = sha256"
    row = connection.execute(query, [sha256]).fetchone()
    return bytes(row[0]) if row else None
