"""An agent that tries to type into the approval prompt. Writes what came of each way to $ASKS.done."""
import fcntl, glob, os, sys, termios, time

asks = os.environ["ASKS"]
print("armed", flush=True)
while not os.path.exists(asks + ".go"):
    time.sleep(0.02)

log = []

def push(path, name):
    try:
        fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
    except OSError as error:
        log.append(f"{name}: open: {error.strerror}")
        return
    try:
        os.write(fd, b"a")
        log.append(f"{name}: written")
    except OSError as error:
        log.append(f"{name}: write: {error.strerror}")
    try:
        fcntl.ioctl(fd, termios.TIOCSTI, b"a")
        log.append(f"{name}: pushed")
    except OSError as error:
        log.append(f"{name}: TIOCSTI: {error.strerror}")
    os.close(fd)

push("/dev/tty", "own terminal")
guard = os.environ["GUARD_PID"]
for fd in os.listdir(f"/proc/{guard}/fd"):
    target = os.readlink(f"/proc/{guard}/fd/{fd}")
    if target.startswith("/dev/pts/") or target == "/dev/ptmx":
        push(f"/proc/{guard}/fd/{fd}", f"guard's descriptor {fd} ({target})")
        push(target, target)
with open(asks + ".tmp", "w") as done:
    done.write("\n".join(log))
os.rename(asks + ".tmp", asks + ".done")
sys.stdin.read()
