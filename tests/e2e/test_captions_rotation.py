"""The Captions webhook's secret rotates during traffic: the old and the new secret verify, after retries at worst. No
other secret ever does.
"""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Event

import pytest

from local.stack import Stack
from simulators.provider_apis import ProviderApis
from simulators.provider_apis.captions_webhooks import Registration
from testkit.fixtures.captions_stack import SIGNING, SecretsManager, make_room
from testkit.fixtures.provider_client import COME_AGAIN, Answer, Providers
from testkit.support.functions import logged, start_anew
from testkit.support.wait import wait_for

DELIVERIES = 200
SENDERS = 10
PAUSE = 0.1  # seconds between two deliveries of a sender
RETRY_SECONDS = 0.5  # seconds until a sender retries; 503 asks for five
LATE_SECONDS = 1.5  # seconds until the response to /update; meanwhile the new secret is in use, but still unknown here


@pytest.fixture
def one(stack: Stack, stack_apis: ProviderApis) -> Iterator[Registration]:
    """The stack's webhook, registered, without a rate limit at Captions."""
    captions = stack_apis.captions
    made = captions.register(stack.outputs["CaptionsCreatorUrl"])
    limits, captions.part.gate.limits = captions.part.gate.limits, []
    make_room(stack.aws, stack.outputs["TableName"])
    yield made
    captions.part.gate.limits = limits
    captions.webhooks.changeover_seconds, captions.webhooks.mixed = 0, False
    captions.webhooks.registered.pop(made.id)


class Traffic:
    """Captions' deliveries during the change of its secret, and their results."""

    def __init__(self, providers: Providers, apis: ProviderApis, one: Registration) -> None:
        self.answers: Counter[str] = Counter()
        self.forged: Counter[int] = Counter()
        self.bearers: set[str] = set()
        self.rotation_ended = Event()
        self._providers = providers
        self._webhooks = apis.captions.webhooks
        self._one = one
        self._numbers = count()

    def send(self, number: int) -> None:
        """Send one delivery, again after each 503; with each tenth, a forged one too. The second half starts when
        Captions has made the new secret.
        """
        body = b'{"event":"creator.failure","operationId":"%b"}' % self._providers.job(f"rotated-{number}").encode()
        if number >= DELIVERIES // 2:
            wait_for("Captions makes a new secret", lambda: self._one.updates or self.rotation_ended.is_set(), bool)
        time.sleep(PAUSE)
        bearer = self._webhooks.bearer(self._one)
        call = self._providers.proven("captions/creator", body, secret=bearer)

        def deliver() -> Answer:
            answer = self._providers.send_once(call)
            self.answers[answer.result] += 1
            return answer

        self.bearers.add(bearer)
        wait_for("it is acknowledged", deliver, lambda answer: answer.status not in COME_AGAIN, pause=RETRY_SECONDS)
        if number % 10 == 0:
            forged = self._providers.proven("captions/creator", body, secret=f"whsec_forged_{number}")
            self.forged[self._providers.send(forged).status] += 1


def test_a_rotation_rejects_no_delivery_and_later_rejects_the_old_secret(
    stack: Stack, stack_apis: ProviderApis, providers: Providers, one: Registration
) -> None:
    secrets = SecretsManager(stack, SIGNING, "RotateCaptionsSecret")
    stack.aws.secretsmanager.put_secret_value(SecretId=secrets.secret_id, SecretString=one.secret)
    start_anew(stack, ["CaptionsCreator"])
    stack_apis.captions.webhooks.changeover_seconds, stack_apis.captions.webhooks.mixed = 2, True
    stack_apis.captions.fail(200, path="/webhooks/update", seconds=LATE_SECONDS)
    old, began = one.secret, time.time()
    traffic = Traffic(providers, stack_apis, one)
    with ThreadPoolExecutor(SENDERS + 1) as senders:
        rotated = senders.submit(secrets.rotate)
        rotated.add_done_callback(lambda _: traffic.rotation_ended.set())  # or failed: then no sender waits for it
        sent = senders.map(traffic.send, range(DELIVERIES))
        rotated.result()
        list(sent)
    new = one.secret
    providers.use_secret(SIGNING, new)
    providers.ever_secret.add(old)
    assert (secrets.current(), one.updates) == (new, 1)
    assert traffic.bearers == {old, new}
    assert traffic.answers.pop("not_stored", 0) > 0  # else no delivery came at the moment of the update
    assert set(traffic.answers) <= {"recorded", "duplicate"}  # a duplicate if a response was late
    assert traffic.answers.total() == DELIVERIES
    assert set(traffic.forged) <= {401, 503}
    assert sum(traffic.forged.values()) == DELIVERIES // 10

    def answers(secret: str) -> int:
        return providers.send(providers.proven("captions/creator", b"no payload", secret=secret)).status

    assert (answers(old), answers(new), answers("another")) == (200, 200, 401)
    start_anew(stack, ["CaptionsCreator"], ROTATION_GRACE_HOURS="0.0001")
    assert (answers(old), answers(new)) == (401, 200)
    start_anew(stack, ["CaptionsCreator"], ROTATION_GRACE_HOURS="24")
    lines = "\n".join(logged(stack, "RotateCaptionsSecret", began))
    assert not [value for value in (stack_apis.captions.api_key, old, new) if value in lines]
