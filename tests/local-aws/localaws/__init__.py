"""A local AWS: moto in one process, and one module for each thing that moto lacks.

Every module either stands alone or replaces names of moto in its `install()`, which `server` calls once.
Nothing leaves this machine: the server, the functions' runtime APIs and the lab's hosts all live on loopback or sealed.
"""

import os
import threading

ACCOUNT = "123456789012"
REGION = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"

# Set when the server is told to end: whoever waits, waits on this.
stopping = threading.Event()


def endpoint():
    """Where this AWS answers. An address, not `localhost`: then every SDK puts a bucket's name into the path."""
    return f"http://127.0.0.1:{os.environ['MOTO_PORT']}"


def credentials():
    """What a client of this AWS needs in its environment."""
    return {
        "AWS_ENDPOINT_URL": endpoint(),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


_clients = {}
_clients_lock = threading.Lock()


def client(service, role=None):
    """A client of this AWS, made once: what moto lacks goes through the same door as everybody else.

    With a role it may do what that role may, where `authorization` is enforced.
    """
    import boto3
    from botocore.config import Config

    said = {"user_agent_extra": f"local-role/{role}"} if role else {}
    with _clients_lock:
        if (service, role) not in _clients:
            _clients[service, role] = boto3.client(
                service,
                region_name=REGION,
                endpoint_url=endpoint(),
                aws_access_key_id="local",
                aws_secret_access_key="local",
                config=Config(retries={"total_max_attempts": 1}, read_timeout=910, max_pool_connections=50, **said),
            )
        return _clients[service, role]


def background(work, *arguments, name=None):
    """Runs `work` beside everything else; what it raises is printed, not lost."""
    thread = threading.Thread(target=work, args=arguments, name=name or work.__name__, daemon=True)
    thread.start()
    return thread
