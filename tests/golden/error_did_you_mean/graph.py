"""Every name that is looked up and not found is compared with those that are there."""
import mlrun

RATES = {"medium": 1, "large": 2}


class Price:
    def __init__(self, tax):
        self.tax = tax

    def do(self, event):
        return event


other = mlrun.new_fnction("shop", kind="serving")
other = mlrun.code_to_function("other", kind="serving", filename="grahp.py")
fn = mlrun.new_function("shop", kind="serving")
fn.deplooy()
fn.verbos = True
fn.spec.max_replica = 3
graph = fn.set_topology("flow", engine="async")
graph.on_eror = "catcher"
graph.to("Price", "price", tax=RATES["meduim"])
graph.to("Price", "price", tax=RATE)
step = graph.to("Price", "price", tax=RATES["medium"])
step.respnd()
step.input_pth = "x"
step.to(name="ending", handler="(event)").cycle_to("price")
graph["prize"].respond()
graph.add_step(name="late", handler="(event)", after="endin")
router = graph.add_step("*mlrun.serving.ModelRouter", name="models", after="price")
router.add_rout("m1", class_name="Price")
router.routes["m1"]
fn.add_model("m2", class_name="Price", router_step="modles")
