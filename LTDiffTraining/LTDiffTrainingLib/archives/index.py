"""What the headers of an archive say, in one SQLite file: it holds any number of files in little memory, and survives a kill.

Paths are stored relative to their archive, as the bytes that the system has for them, since names need not be text.
"""
from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from LTDiffStandardizeLib.errors import InputError

from .facts import CT, FileFacts, SeriesFacts

VERSION = 1
SAME_POSITION_MM = 0.01
"""Slices of one series nearer than this lie at one position: positions are often rounded to 0.01 mm or coarser."""
TABLES = """
CREATE TABLE archives (id INTEGER PRIMARY KEY, path BLOB UNIQUE);
CREATE TABLE series (id INTEGER PRIMARY KEY, key TEXT UNIQUE, patient TEXT, born TEXT, kernel TEXT, thickness REAL, kvp REAL,
    "rows" INTEGER, "columns" INTEGER, row_spacing REAL, column_spacing REAL, orientation TEXT);
CREATE TABLE files (archive INTEGER, path BLOB, size INTEGER, mtime INTEGER, scan INTEGER, kind TEXT, reason TEXT,
    series INTEGER, instance TEXT, z REAL, u REAL, v REAL, day TEXT, second REAL, current REAL, copy INTEGER DEFAULT 0,
    PRIMARY KEY (archive, path)) WITHOUT ROWID;
CREATE INDEX files_of_series ON files (series, z);
CREATE TABLE outcomes (pair TEXT PRIMARY KEY, first INTEGER, second INTEGER, fingerprint TEXT, outcome TEXT);
"""
_CROWDED = f"""SELECT near.series FROM (SELECT series, z - LAG(z) OVER (PARTITION BY series ORDER BY z) AS gap
    FROM files WHERE NOT copy AND series IS NOT NULL) AS near WHERE gap < {SAME_POSITION_MM}"""
"""Series with slices at one position, as a time series has."""


@dataclass(frozen=True)
class IndexedSeries:
    """A series with the ranges of its slices, lowest and highest. days: "" where unknown; seconds, currents: None where all are unknown."""

    id: int
    facts: SeriesFacts
    z: tuple[float, float]
    u: tuple[float, float]
    v: tuple[float, float]
    days: tuple[str, str]
    seconds: tuple[float | None, float | None]
    currents: tuple[float | None, float | None]


@dataclass(frozen=True)
class SeriesSlices:
    """The slices of one series by ascending z; each array is (slices,), NaN where unknown. `files` are keys for `Index.paths`."""

    files: list[tuple[int, bytes]]
    z: np.ndarray
    u: np.ndarray
    v: np.ndarray
    second: np.ndarray
    current: np.ndarray
    stamps: list[tuple[str, int, int]]


class Index:
    """Raises InputError where the file is no index of this version, or damaged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db = sqlite3.connect(path)
        try:
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0 and not self._db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]:
                self._db.executescript(f"BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;")
                version = VERSION
            sound = self._db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
        except sqlite3.DatabaseError:
            version = sound = None
        if not sound or version != VERSION:
            self._db.close()
            raise InputError(f"{path} is damaged or of another version; remove it and start again.")

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> "Index":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def archive_id(self, archive: Path) -> int:
        with self._db:
            self._db.execute("INSERT OR IGNORE INTO archives (path) VALUES (?)", (os.fsencode(archive),))
        return self._db.execute("SELECT id FROM archives WHERE path = ?", (os.fsencode(archive),)).fetchone()[0]

    def next_scan(self) -> int:
        """A number greater than that of any scan before."""
        return self._db.execute("SELECT COALESCE(MAX(scan), 0) + 1 FROM files").fetchone()[0]

    def is_known(self, archive: int, path: str, size: int, mtime: int) -> bool:
        row = self._db.execute("SELECT size, mtime FROM files WHERE archive = ? AND path = ?", (archive, os.fsencode(path))).fetchone()
        return row == (size, mtime)

    def add(self, archive: int, scan: int, read: Iterable[tuple[str, int, int, FileFacts]], known: Iterable[str]) -> None:
        """One transaction: the facts of files that were read (path, size, mtime in ns, facts), and paths of those known before."""
        with self._db:
            self._db.executemany("UPDATE files SET scan = ? WHERE archive = ? AND path = ?",
                                 ((scan, archive, os.fsencode(path)) for path in known))  # fmt: skip
            self._db.executemany(f"INSERT OR REPLACE INTO files VALUES ({', '.join('?' * 15)}, 0)",
                                 (self._row(archive, scan, *one) for one in read))  # fmt: skip

    def _row(self, archive: int, scan: int, path: str, size: int, mtime: int, facts: FileFacts) -> tuple:
        row = (archive, os.fsencode(path), size, mtime, scan, facts.kind, facts.reason)
        if facts.kind != CT:
            return row + (None,) * 8
        return row + (self._series_id(facts.series), *asdict(facts.slice).values())

    def _series_id(self, facts: SeriesFacts) -> int:
        found = self._db.execute("SELECT id FROM series WHERE key = ?", (facts.key,)).fetchone()
        if found:
            return found[0]
        values = {**asdict(facts), "orientation": json.dumps(facts.orientation)}
        return self._db.execute(f"INSERT INTO series VALUES (NULL, {', '.join('?' * len(values))})", tuple(values.values())).lastrowid

    def finish(self, scan: int) -> None:
        """Forgets files of which the scan saw nothing, and tells copies of an instance from the one that is used."""
        with self._db:
            self._db.execute("DELETE FROM files WHERE scan != ?", (scan,))
            self._db.execute("""UPDATE files SET copy = EXISTS (SELECT 1 FROM files AS other WHERE other.series = files.series
                AND other.z BETWEEN files.z - 0.001 AND files.z + 0.001 AND other.instance = files.instance AND files.instance != ''
                AND (other.archive, other.path) < (files.archive, files.path)) WHERE series IS NOT NULL""")

    def series(self, least_slices: int) -> list[IndexedSeries]:
        """Those of at least so many slices, no two of them at one position; in an order that depends on their keys alone."""
        ranges = ", ".join(f"MIN({name}), MAX({name})" for name in ("z", "u", "v", "day", "second", "current"))
        rows = self._db.execute(f"""SELECT series.*, {ranges} FROM series JOIN files ON files.series = series.id
            WHERE NOT copy AND series.id NOT IN ({_CROWDED}) GROUP BY series.id HAVING COUNT(*) >= ? ORDER BY series.key""", (least_slices,))  # fmt: skip
        found = []
        for number, *columns in rows:
            facts = SeriesFacts(*columns[:10], tuple(json.loads(columns[10])))
            found.append(IndexedSeries(number, facts, *(tuple(columns[at:at + 2]) for at in (11, 13, 15, 17, 19, 21))))
        return found

    def slices(self, series: int) -> SeriesSlices:
        rows = self._db.execute("SELECT archive, path, z, u, v, second, current, instance, size, mtime FROM files "
                                "WHERE series = ? AND NOT copy ORDER BY z", (series,)).fetchall()  # fmt: skip
        numbers = np.array([row[2:7] for row in rows], np.float64).reshape(-1, 5)
        return SeriesSlices([row[:2] for row in rows], *numbers.T, [row[7:] for row in rows])

    def paths(self, files: Iterable[tuple[int, bytes]]) -> list[Path]:
        archives = {number: Path(os.fsdecode(path)) for number, path in self._db.execute("SELECT id, path FROM archives")}
        return [archives[archive] / os.fsdecode(path) for archive, path in files]

    def within_archive(self, path: Path) -> tuple[str, str]:
        """The archive that the path lies in, and the path relative to it."""
        archives = (Path(os.fsdecode(row[0])) for row in self._db.execute("SELECT path FROM archives"))
        archive = next(archive for archive in archives if archive in path.parents)
        return str(archive), path.relative_to(archive).as_posix()

    def records(self) -> list[tuple[str, str]]:
        """(patient, born) of all series, see `SeriesFacts`."""
        return self._db.execute("SELECT DISTINCT patient, born FROM series JOIN files ON files.series = series.id").fetchall()

    def outcome(self, pair: str, fingerprint: str) -> dict | None:
        """What became of a pair before; None where it was not examined, or its files have changed."""
        row = self._db.execute("SELECT outcome FROM outcomes WHERE pair = ? AND fingerprint = ?", (pair, fingerprint)).fetchone()
        return json.loads(row[0]) if row else None

    def keep_outcome(self, pair: str, first: int, second: int, fingerprint: str, outcome: dict) -> None:
        with self._db:
            self._db.execute("INSERT OR REPLACE INTO outcomes VALUES (?, ?, ?, ?, ?)", (pair, first, second, fingerprint, json.dumps(outcome)))

    def counts(self) -> dict[str, int]:
        """{kind: files}, with "copy" for the CT slices that are copies of others and CT for the rest."""
        return dict(self._db.execute("SELECT CASE WHEN copy THEN 'copy' ELSE kind END, COUNT(*) FROM files GROUP BY 1"))

    def skipped(self) -> Iterator[tuple[str, str, str, str]]:
        """(archive, path, kind, reason) of every file that no pair can use, in the order of the paths."""
        rows = self._db.execute(f"""SELECT archives.path, files.path, CASE WHEN copy THEN 'copy' ELSE kind END,
            CASE WHEN copy THEN 'is a copy of another file' WHEN kind != '{CT}' THEN reason
            ELSE 'lies in a series with several slices at one position; split it into one series for each' END
            FROM files JOIN archives ON archives.id = archive WHERE kind != '{CT}' OR copy OR series IN ({_CROWDED}) ORDER BY archive, files.path""")
        for archive, path, kind, reason in rows:
            yield os.fsdecode(archive), os.fsdecode(path), kind, reason
