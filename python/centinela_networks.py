"""The PyTorch module of a network that Centinela exported as .pt or .safetensors.

    import torch, json, zipfile
    from centinela_networks import network_module

    description = json.loads(zipfile.ZipFile("fraud.pt").read("network/extra/centinela-network.json"))
    module = network_module(description)
    module.load_state_dict(torch.load("fraud.pt", weights_only=True), strict=False)  # counters of batches are not in it
    module.eval()

In a .safetensors file the description is the metadata entry "centinela.network".
"""

import torch
from torch import nn

ACTIVATIONS = {
    "relu": nn.ReLU,
    "leaky-relu": lambda: nn.LeakyReLU(0.3),
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "swish": nn.SiLU,
    "softplus": nn.Softplus,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
}


class EmbedColumns(nn.Module):
    """The columns that hold no codes, and then the embedding of each that does; an unknown code is 0."""

    def __init__(self, inputs, columns, embeddings):
        super().__init__()
        coded = {column["column"] for column in columns}
        self.others = [column for column in range(inputs) if column not in coded]
        self.columns = columns
        self.embeddings = embeddings

    def forward(self, x):
        parts = [x[:, self.others]]
        for column, embedding in zip(self.columns, self.embeddings):
            code = x[:, column["column"]]
            known = (code >= 0) & (code < column["categories"]) & (code == code.floor())
            parts.append(embedding(torch.where(known, code, torch.zeros_like(code)).long()))
        return torch.cat(parts, dim=1)


class EmbeddedNetwork(nn.Sequential):
    """A Sequential whose modules are counted from 0, behind embeddings that have names of their own."""

    def __init__(self, inputs, columns, modules):
        super().__init__(*modules)
        embeddings = nn.ModuleList(nn.Embedding(column["categories"], column["units"]) for column in columns)
        self.rest = len(modules)
        self.add_module("embeddings", embeddings)
        self.arrange = [EmbedColumns(inputs, columns, embeddings)]

    def forward(self, x):
        x = self.arrange[0](x)
        for index in range(self.rest):
            x = self[index](x)
        return x


def network_module(description):
    """description: a dict as in the file, { inputs, layers }."""
    width = description["inputs"]
    columns = []
    modules = []
    for layer in description["layers"]:
        kind = layer["kind"]
        if kind == "embed-columns":
            columns = layer["columns"]
            width += sum(column["units"] - 1 for column in columns)
        elif kind == "dense":
            modules.append(nn.Linear(width, layer["units"]))
            width = layer["units"]
            if layer["activation"] != "linear":
                modules.append(ACTIVATIONS[layer["activation"]]())
        elif kind == "dropout":
            modules.append(nn.Dropout(layer["rate"]))
        elif kind == "batch-norm":
            modules.append(nn.BatchNorm1d(width, eps=layer["epsilon"], momentum=1 - layer["momentum"]))
        else:
            raise ValueError(f"unknown layer {kind}")
    return EmbeddedNetwork(description["inputs"], columns, modules) if columns else nn.Sequential(*modules)
