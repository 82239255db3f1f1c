"""Makes the golden values beside this file, with PyTorch and timm as the oracle.

    python Tests/Fixtures/generate.py            all fixtures
    python Tests/Fixtures/generate.py logits     one group: counted, logits, training, operations,
                                                 schedules, attacks, robust

Runs on the CPU in under a minute. The values do not depend on the machine beyond the last
digits; every file names the versions that made it.
"""

import sys

import attack_fixtures
import logit_fixtures
import operation_fixtures
import robust_backbones
import schedule_fixtures
import timm_oracle
import training_fixtures

GROUPS = {
    "counted": timm_oracle.write_examples,
    "logits": logit_fixtures.write,
    "training": training_fixtures.write,
    "operations": operation_fixtures.write,
    "schedules": schedule_fixtures.write,
    "attacks": attack_fixtures.write,
    "robust": robust_backbones.write,
}


def main():
    timm_oracle.check_generator()
    for name in sys.argv[1:] or GROUPS:
        if name not in GROUPS:
            sys.exit(f"no group '{name}'; there are {', '.join(GROUPS)}")
        GROUPS[name]()


if __name__ == "__main__":
    main()
