"""A streaming standby of the cluster that scripts/with-postgres runs, made by pg_basebackup."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import urllib.parse
import uuid

import harness

sql = harness.PostgresDatabase.sql


def super_url():
    return os.environ["MARCA_TEST_PG_SUPER"]


def as_postgres():
    """PostgreSQL refuses to run as root."""
    return {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}


class Server:
    """A PostgreSQL on a free port, whose data fill() has made. kill() and start() may be called in turn."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="marca-standby-"))
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        self.data = self.folder / "data"
        self.bin = pathlib.Path(sql(super_url(), "SELECT setting FROM pg_config WHERE name = 'BINDIR'").strip())
        self.port = harness.free_port()
        self.process = None

    def url(self, database, user="marca"):
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def sql(self, text):
        return sql(self.url("postgres", "postgres"), text).strip()

    def run(self, program, *words):
        done = subprocess.run([self.bin / program, *words], cwd=self.folder, capture_output=True, text=True, check=False,
                              **as_postgres())
        assert done.returncode == 0, f"{program}: {done.stderr}"

    def fill(self):
        raise NotImplementedError

    def empty(self):
        """What fill() has left elsewhere."""

    def __enter__(self):
        try:
            self.fill()
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_):
        self.kill()
        self.empty()
        shutil.rmtree(self.folder)

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [self.bin / "postgres", "-D", self.data, "-k", self.folder, "-p", str(self.port), "-c", "listen_addresses=127.0.0.1",
                 "-c", "shared_buffers=16MB"],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **as_postgres())
        harness.until("it answers", self.answers)

    def answers(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
        done = subprocess.run([self.bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False)
        return done.returncode == 0

    def kill(self):
        """At once, with all its sessions: SIGQUIT."""
        if self.process is not None:
            self.process.send_signal(3)
            self.process.wait()
            self.process = None


    def signal(self, number):
        """To it and to all its processes, each of which leads a group of its own."""
        pid = self.process.pid
        for one in (pid, *map(int, pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split())):
            os.kill(one, number)


class Standby(Server):
    def __init__(self):
        super().__init__()
        self.slot = f"marca_{uuid.uuid4().hex}"  # what it has not read yet is kept for it

    def fill(self):
        primary = urllib.parse.urlsplit(super_url())
        self.run("pg_basebackup", "-h", primary.hostname, "-p", str(primary.port), "-U", primary.username, "-D", self.data, "-R", "-C",
                 "-S", self.slot, "-c", "fast", "-X", "stream", "--no-sync")

    def empty(self):
        """The primary sees a moment later that its reader is gone."""
        for _ in range(100):
            try:
                sql(super_url(), f"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '{self.slot}'")
                return
            except AssertionError as refused:
                if "is active" not in str(refused):
                    raise
            time.sleep(0.1)

    def pause(self):
        """From now on it takes what comes, and shows nothing of it."""
        self.sql("SELECT pg_wal_replay_pause()")
        harness.until("it has paused", lambda: self.sql("SELECT pg_get_wal_replay_pause_state()") == "paused")

    def resume(self):
        self.sql("SELECT pg_wal_replay_resume()")


class Stranger(Server):
    """A cluster of its own, with a database of that name."""

    def __init__(self, database):
        super().__init__()
        self.database = database

    def fill(self):
        self.run("initdb", "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")

    def start(self):
        super().start()
        for statement in ("CREATE ROLE marca LOGIN", "CREATE ROLE marca_app NOLOGIN", "GRANT marca_app TO marca",
                          f'CREATE DATABASE "{self.database}" OWNER marca'):
            self.sql(statement)
