"""Volumes and credentials by modifiers, in chains and by a function of the file's own."""
import mlrun
from mlrun.runtimes import mounts


def shared(function):
    """Everything that functions of this project get."""
    function.set_label("project", "shop")
    return function.apply(mounts.mount_pvc("models", "models", "/models"))


fn = mlrun.new_function("mounted", kind="serving", image="mlrun/mlrun:1.12.1")
fn.apply(shared).apply(mlrun.v3io_cred(api="https://webapi.example.com", access_key="hunter2"))
fn.apply(mounts.mount_secret("certificates", "/etc/certificates", items=[{"key": "ca", "path": "ca.pem"}]))
fn.apply(mounts.mount_configmap("thresholds", "/etc/thresholds"))
fn.apply(mounts.mount_hostpath("/mnt/nvme", "/scratch", volume_name="scratch"))
fn.apply(mounts.mount_s3(secret_name="lake", endpoint_url="http://minio:9000", aws_region="eu-central-1"))
fn.apply(mounts.mount_s3(prefix="SECOND_", aws_access_key="AKIAEXAMPLE", aws_secret_key="hunter2", non_anonymous=True))
fn.apply(mounts.set_env_variables({"A": 1}, B="two"))
fn.apply(mounts.set_env_vars_from_secret("tokens", keys="ONE;TWO"))
fn.apply(mounts.set_env_vars_from_secret("everything"))
fn.apply(mlrun.mount_v3io(remote="users/admin/models", secret="v3io", volume_mounts=[mlrun.VolumeMount("/v3io", "big")]))
fn.apply(mlrun.auto_mount("claim", "/data")).apply(mlrun.auto_mount())
fn.spec.with_volumes({"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}})
fn.spec.with_volume_mounts([{"name": "tmp", "mountPath": "/tmp/work"}, {"name": "tmp", "mountPath": "/var/cache", "subPath": "c"}])

fn.set_topology("flow").to(name="same", handler="(event)").respond()
