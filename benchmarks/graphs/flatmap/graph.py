import mlrun


def orders(body):
    return [{"customer": body["customer"], **order} for order in body["orders"]]


class Price:
    def __init__(self, rate):
        self.rate = rate

    def do(self, order):
        order["price"] = order["amount"] * self.rate
        return order


fn = mlrun.new_function("flatmap", project="bench", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to("storey.FlatMap", "orders", _fn="orders").to("Price", "price", rate=3).to(
    "$queue", "out", path="dummy://bench/orders"
)
