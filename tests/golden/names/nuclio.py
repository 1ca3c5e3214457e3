class Step:
    def __init__(self, text):
        self.text = text

    def do(self, body):
        return [*body, repr(self.text)]
