"""Modifiers for `fn.apply`: volumes and credentials, as mlrun 1.12.1 `runtimes/mounts.py` has them.

A modifier changes the settings of the function it is applied to. What MLRun takes from the
environment of the machine that deploys is taken from the build's `--env`; without it the names of
variables go into function.yaml, and what needs their values is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..diagnostics import GraphError
from ..frontend.values import External, HostFunction, Instance

if TYPE_CHECKING:
    from .session import Session
    from .settings import Settings

#: Where the modifiers can be imported from; older code has them in other places.
MODULES = frozenset(
    """mlrun mlrun.platforms mlrun.platforms.iguazio mlrun.platforms.other mlrun.runtimes.mounts
    mlrun_pipelines.mounts mlrun_pipelines.common.mounts""".split()
)
#: Variables whose values let their reader in somewhere.
_SECRETS = ("V3IO_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY")
_Change = Callable[["Settings"], None]


def members(session: Session) -> Mapping[str, HostFunction]:
    """The functions that make modifiers, by name."""
    mounts = Mounts(session)
    names = (name for name in dir(mounts) if not name.startswith("_"))
    return {
        name: HostFunction(f"mlrun.{name}", getattr(mounts, name), idle=lambda *args: True)
        for name in names
    }


def _modifier(change: _Change) -> HostFunction:
    """A modifier as graph files pass it around: called with a function, it gives it back."""

    def modify(function: Any) -> Any:
        change(function.settings)
        return function

    return HostFunction("modifier", modify)


class Mounts:
    """Each method makes a modifier; arguments and defaults are MLRun's."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def _env(self, name: str) -> str | None:
        return self._session.env.get(name)

    # -- Kubernetes volumes

    def mount_pvc(
        self,
        pvc_name: Any = None,
        volume_name: Any = "pipeline",
        volume_mount_path: Any = "/mnt/pipeline",
    ) -> HostFunction:
        if not pvc_name and (mount := self._env("MLRUN_PVC_MOUNT")) is not None:
            pvc_name, _, volume_mount_path = mount.partition(":")
            if not pvc_name or not volume_mount_path or ":" in volume_mount_path:
                raise GraphError("MLRUN_PVC_MOUNT must be <claim>:<mount path>")
        if not pvc_name:
            raise GraphError(
                "mount_pvc() does not say which claim to mount",
                help="pass pvc_name=, or build with --env MLRUN_PVC_MOUNT=<claim>:<mount path>",
            )
        source = {"persistentVolumeClaim": {"claimName": pvc_name}}
        return _modifier(lambda on: on.mount(volume_name, source, volume_mount_path))

    def mount_secret(
        self, secret_name: Any, mount_path: Any, volume_name: Any = "secret", items: Any = None
    ) -> HostFunction:
        source = {"secret": {"secretName": secret_name, "items": items}}
        return _modifier(lambda on: on.mount(volume_name, source, mount_path))

    def mount_configmap(
        self,
        configmap_name: Any,
        mount_path: Any,
        volume_name: Any = "configmap",
        items: Any = None,
    ) -> HostFunction:
        source = {"configMap": {"name": configmap_name, "items": items}}
        return _modifier(lambda on: on.mount(volume_name, source, mount_path))

    def mount_hostpath(
        self, host_path: Any, mount_path: Any, volume_name: Any = "hostpath"
    ) -> HostFunction:
        source = {"hostPath": {"path": host_path, "type": ""}}
        return _modifier(lambda on: on.mount(volume_name, source, mount_path))

    def mount_spark_conf(self) -> HostFunction:
        return _modifier(
            lambda on: on.with_volume_mounts(
                {"mountPath": "/etc/config/spark", "name": "spark-master-config"}
            )
        )

    def mount_v3iod(self, namespace: Any, v3io_config_configmap: Any) -> HostFunction:
        text = self._session.text
        where = self._session.argument_span("namespace", 0)
        of_host = text(namespace, "namespace", where)

        def change(on: Settings) -> None:
            shm, comm = "/var/run/iguazio/dayman-shm/", "/var/run/iguazio/dayman"
            config = {"name": v3io_config_configmap, "defaultMode": 420}
            on.mount("shm", {"hostPath": {"path": f"{shm}{of_host}", "type": ""}}, "/dev/shm")
            on.mount("v3iod-comm", {"hostPath": {"path": f"{comm}/{of_host}", "type": ""}}, comm)
            on.mount("daemon-health", {"emptyDir": {}}, "/var/run/iguazio/daemon_health")
            on.mount("v3io-config", {"configMap": config}, "/etc/config/v3io")
            node = {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.hostIP"}}
            on.environment.put("CURRENT_NODE_IP", {"valueFrom": node})
            on.environment.put("IGZ_DATA_CONFIG_FILE", {"value": "/igz/java/conf/v3io.conf"})

        return _modifier(change)

    # -- v3io

    def v3io_cred(self, api: Any = "", user: Any = "", access_key: Any = "") -> HostFunction:
        given = {
            "V3IO_API": api,
            "V3IO_USERNAME": user,
            "V3IO_ACCESS_KEY": access_key,
            "V3IO_FRAMESD": "",
        }
        return _modifier(lambda on: self._credentials(on, given))

    def mount_v3io(
        self,
        name: Any = "v3io",
        remote: Any = "",
        access_key: Any = "",
        user: Any = "",
        secret: Any = None,
        volume_mounts: Any = None,
    ) -> HostFunction:
        if not isinstance(volume_mounts or [], list | tuple):
            raise GraphError("volume_mounts must be a list of mlrun.VolumeMount(path, sub_path)")
        if remote and not volume_mounts:
            raise GraphError("mount_v3io() with remote= needs volume_mounts=")
        span = self._session.call_span
        user = user or self._env("V3IO_USERNAME")
        mounts = [self._mount(one) for one in volume_mounts or ()]
        if not mounts and user:
            mounts = [("/v3io", ""), ("/User", f"users/{user}")]
        options: dict[str, Any] = {}
        if user:
            options["dirsToCreate"] = f'[{{"name": "users//{user}", "permissions": 488}}]'
        remote = str(remote)
        if user and remote.startswith("~/"):
            remote = f"users/{user}{remote[1:].removesuffix('/')}"
        if remote:
            container, slash, path = remote.removeprefix("/").partition("/")
            options |= {"container": container, "subPath": slash + path}

        def change(on: Settings) -> None:
            missing = [
                variable
                for variable, is_known in (
                    ("V3IO_USERNAME", mounts and not remote.startswith("~/")),
                    ("V3IO_ACCESS_KEY", secret),
                )
                if not is_known
            ]
            if missing:
                ways = [
                    "name a Kubernetes secret that has the key: secret="
                    if one == "V3IO_ACCESS_KEY"
                    else f"build with --env {one}=..."
                    for one in missing
                ]
                self._session.diagnostics.warning(
                    "GC032",
                    f"the v3io volume depends on {' and '.join(missing)} where the function is "
                    "deployed, so it is not part of the package",
                    span,
                    help=", and ".join(ways),
                )
            else:
                source: dict[str, Any] = {"driver": "v3io/fuse", "options": options}
                if secret:
                    source["secretRef"] = {"name": secret}
                for path, inner in mounts:
                    on.mount(name, {"flexVolume": source}, path, {"subPath": inner})
            if not secret:
                given = {"V3IO_USERNAME": user, "V3IO_ACCESS_KEY": access_key}
                self._credentials(on, {"V3IO_API": "", **given, "V3IO_FRAMESD": ""})

        return _modifier(change)

    def auto_mount(
        self, pvc_name: Any = "", volume_mount_path: Any = "", volume_name: Any = None
    ) -> HostFunction:
        claim = {"volume_name": volume_name or "shared-persistency"}
        if pvc_name and volume_mount_path:
            return self.mount_pvc(pvc_name, volume_mount_path=volume_mount_path, **claim)
        if self._env("MLRUN_PVC_MOUNT") is not None:
            return self.mount_pvc(**claim)
        if self._env("V3IO_ACCESS_KEY") is not None:
            return self.mount_v3io(name=volume_name or "v3io")
        span = self._session.call_span

        def change(on: Settings) -> None:
            self._session.diagnostics.warning(
                "GC032",
                "what auto_mount() mounts depends on the machine that deploys, so nothing is "
                "mounted",
                span,
                help="name the claim: auto_mount(pvc_name=..., volume_mount_path=...), or build "
                "with --env MLRUN_PVC_MOUNT=<claim>:<mount path>",
            )

        return _modifier(change)

    # -- variables

    def mount_s3(
        self,
        secret_name: Any = None,
        aws_access_key: Any = "",
        aws_secret_key: Any = "",
        endpoint_url: Any = None,
        prefix: Any = "",
        aws_region: Any = None,
        non_anonymous: Any = False,
    ) -> HostFunction:
        if secret_name and (aws_access_key or aws_secret_key):
            raise GraphError("mount_s3() takes a secret's name or the keys, not both")
        where = self._session.argument_span("prefix", 4)
        prefix = self._session.text(prefix, "prefix", where)
        endpoint_url = endpoint_url or self._env(f"{prefix}AWS_ENDPOINT_URL_S3")

        def change(on: Settings) -> None:
            def put(name: str, entry: dict[str, Any]) -> None:
                # What the user has set stays, as in mlrun 1.12.
                if on.environment.value(prefix + name) is None:
                    on.environment.put(prefix + name, entry)

            if endpoint_url:
                put("AWS_ENDPOINT_URL_S3", {"value": endpoint_url})
            if aws_region:
                put("AWS_REGION", {"value": aws_region})
            if non_anonymous:
                put("S3_NON_ANONYMOUS", {"value": "true"})
            keys = {"AWS_ACCESS_KEY_ID": aws_access_key, "AWS_SECRET_ACCESS_KEY": aws_secret_key}
            for name, value in keys.items():
                if secret_name:
                    reference = {"name": secret_name, "key": name}
                    put(name, {"valueFrom": {"secretKeyRef": reference}})
                else:
                    put(name, {"value": self._open(prefix + name, value)})

        return _modifier(change)

    def set_env_variables(self, env_vars_dict: Any = None, **kwargs: Any) -> HostFunction:
        if env_vars_dict is not None and not isinstance(env_vars_dict, dict):
            where = self._session.argument_span("env_vars_dict", 0)
            raise self._session.wrong_value(env_vars_dict, "variables must be a dict", where)
        variables = {**(env_vars_dict or {}), **kwargs}
        return _modifier(lambda on: on.environment.set_envs(variables))

    def set_env_vars_from_secret(
        self, secret_name: Any = None, keys: Any = None, cleartext_env: Any = None
    ) -> HostFunction:
        if isinstance(keys, str):
            keys = [key.strip() for key in keys.split(";") if key.strip()]
        if isinstance(cleartext_env, str):
            pairs = [pair.partition(":") for pair in cleartext_env.split(";") if pair.strip()]
            if not all(colon for _, colon, _ in pairs):
                raise GraphError('cleartext_env must be of the form "NAME:value;NAME:value"')
            cleartext_env = {name.strip(): value.strip() for name, _, value in pairs}
        if not isinstance(keys or [], list | tuple) or not isinstance(cleartext_env or {}, dict):
            raise GraphError("set_env_vars_from_secret() takes a list of keys and a dict of values")
        if not secret_name and (keys or not cleartext_env):
            raise GraphError("set_env_vars_from_secret() does not name a secret")

        def change(on: Settings) -> None:
            if secret_name and not keys:
                on.environment.set_env_from_secret_ref(secret_name)
            for key in keys or ():
                on.environment.set_env_from_secret(key, secret_name, key)
            for name, value in (cleartext_env or {}).items():
                on.environment.set_env(name, value)

        return _modifier(change)

    def _credentials(self, on: Settings, given: Mapping[str, Any]) -> None:
        for name, value in given.items():
            on.environment.put(name, {"value": self._open(name, value)})

    def _open(self, name: str, value: Any) -> Any:
        """The value of a variable; that of a secret is never written, only that it is needed."""
        if not name.endswith(_SECRETS):
            return value or self._env(name)
        if isinstance(value, str) and value:
            self._session.diagnostics.warning(
                "GC032",
                f"the value of {name} is not copied into function.yaml",
                self._session.call_span,
                help="set it where the function is deployed, from a Kubernetes secret: "
                f'fn.set_env_from_secret("{name}", <secret>, <key>)',
            )
            return None
        return value or None

    def _mount(self, mount: Any) -> tuple[Any, Any]:
        """`(path, sub path)` of a `VolumeMount`, which is a tuple of these."""
        match mount:
            case Instance(cls=External(), args=args, kwargs=kwargs):
                values = dict(zip(("path", "sub_path"), args, strict=False)) | dict(kwargs)
                if set(values) == {"path", "sub_path"}:
                    return values["path"], values["sub_path"]
            case (path, inner):
                return path, inner
        raise GraphError("volume_mounts must be a list of mlrun.VolumeMount(path, sub_path)")
