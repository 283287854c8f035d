"""The floor: bench/floor.c, appending to a file in its directory."""
import os

from server import Missing, Server, wait_for


class Floor(Server):
    name = "floor"
    title = "the floor"

    def prepare(self):
        self.program = f"{self.settings['build']}/bench/floor"
        if not os.access(self.program, os.X_OK):
            raise Missing(f"{self.program} is not built")

    def command(self):
        return [self.program, "--file", f"{self.dir}/log"]

    def is_up(self):
        if self.port is None:
            self.port = wait_for("the floor's port", self.told_port, 60)
        return super().is_up()

    def told_port(self):
        words = self.output().split("port=")
        return int(words[1]) if len(words) == 2 and words[1] else None

    def stop(self):
        syncs = super().stop()
        self.port = None
        return syncs
