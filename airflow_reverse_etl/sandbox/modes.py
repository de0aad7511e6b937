"""What each generic fault does on the wire. None needs the fake's help, so every destination has them all."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from airflow_reverse_etl.sandbox.exchange import Answer, Exchange

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Mode = Callable[..., Awaitable[None]]

_PAGE = "<!DOCTYPE html>\n<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center></body></html>\n"


async def drop_before(exchange: Exchange) -> None:
    """The connection is closed; nothing reached the application."""
    await exchange.read()
    await exchange.drop()


async def drop_after_commit(exchange: Exchange) -> None:
    """The application does the work, then the connection is closed without a byte of an answer."""
    await exchange.commit()
    await exchange.drop()


async def delay(exchange: Exchange, *, seconds: float = 1.0) -> None:
    """The work begins only after some seconds, even if the client has given up by then."""
    await exchange.read()
    await asyncio.sleep(seconds)
    await exchange.forward()


async def delay_after_commit(exchange: Exchange, *, seconds: float = 1.0) -> None:
    """The work is done at once; its answer comes some seconds later."""
    answer = await exchange.commit()
    await asyncio.sleep(seconds)
    await exchange.answer(answer)


async def status(
    exchange: Exchange,
    *,
    status: int = 503,
    body: object = "",
    headers: Mapping[str, object] | None = None,
    commit: bool = False,
) -> None:
    """Another status, body (text, or anything that JSON can hold) and headers are answered."""
    await _instead(exchange, commit=commit)
    await exchange.answer(_made(status, body, headers))


async def html(exchange: Exchange, *, status: int = 503, commit: bool = False) -> None:
    """An HTML error page, such as a load balancer sends, is answered."""
    await _instead(exchange, commit=commit)
    page = _PAGE.format(f"{status} {_phrase(status)}")
    await exchange.answer(_made(status, page, {"Content-Type": "text/html"}))


async def empty_body(exchange: Exchange, *, status: int = 200, commit: bool = True) -> None:
    """A good status with nothing in it is answered."""
    await _instead(exchange, commit=commit)
    await exchange.answer(_made(status, "", {"Content-Type": "application/json"}))


async def truncated_body(exchange: Exchange, *, commit: bool = True) -> None:
    """The full length is announced, half of the body is sent, the connection is closed."""
    answer = await _real_or_made(exchange, commit=commit)
    await exchange.cut(answer, sent=len(answer.body) // 2)


async def chunked_cut(exchange: Exchange, *, commit: bool = True) -> None:
    """The body comes in chunks; the connection is closed before the last one."""
    answer = (await _real_or_made(exchange, commit=commit)).without(b"content-length", b"transfer-encoding")
    chunked = Answer(answer.status, [*answer.headers, (b"transfer-encoding", b"chunked")], answer.body)
    await exchange.cut(chunked, sent=len(answer.body) // 2)


async def reset_mid_body(exchange: Exchange, *, commit: bool = True) -> None:
    """Half of the body is sent, then the connection is reset (RST)."""
    answer = await _real_or_made(exchange, commit=commit)
    await exchange.cut(answer, sent=len(answer.body) // 2, reset=True)


async def invalid_json(exchange: Exchange, *, commit: bool = True) -> None:
    """A well-formed answer whose body is JSON that ends in the middle."""
    answer = await _real_or_made(exchange, commit=commit)
    await exchange.answer(answer.with_body(b'{"status": "COMPLETE", "results": [{"id": "1', b"application/json"))


async def not_json(exchange: Exchange, *, body: str = "OK", commit: bool = True) -> None:
    """A well-formed answer whose body is plain text."""
    answer = await _real_or_made(exchange, commit=commit)
    await exchange.answer(answer.with_body(body.encode(), b"text/plain; charset=utf-8"))


async def stale_keep_alive(exchange: Exchange, *, when: str = "idle") -> None:
    """The kept-alive connection is closed: right after the answer ("idle"), or as its next request arrives ("next")."""
    answer = await exchange.commit()
    await exchange.answer(answer)
    if when == "next":
        exchange.connection.stale = True
    else:
        exchange.connection.close()


async def deliver_twice(exchange: Exchange) -> None:
    """The application processes the same request twice; the second answer goes out."""
    await exchange.commit()
    await exchange.answer(await exchange.commit())


async def redirect(
    exchange: Exchange, *, status: int = 302, location: str = "/_sandbox/elsewhere", commit: bool = False
) -> None:
    """The client is sent elsewhere; by default to a page that answers 200 with HTML."""
    await _instead(exchange, commit=commit)
    await exchange.answer(_made(status, "", {"Location": location}))


MODES: Mapping[str, Mode] = {
    mode.__name__: mode
    for mode in (
        drop_before,
        drop_after_commit,
        delay,
        delay_after_commit,
        status,
        html,
        empty_body,
        truncated_body,
        chunked_cut,
        reset_mid_body,
        invalid_json,
        not_json,
        stale_keep_alive,
        deliver_twice,
        redirect,
    )
}


async def _instead(exchange: Exchange, *, commit: bool) -> None:
    await (exchange.commit() if commit else exchange.read())


async def _real_or_made(exchange: Exchange, *, commit: bool) -> Answer:
    await exchange.read()
    answer = await exchange.commit() if commit else _made(200, "", None)
    return answer.cuttable()


def _made(status_code: int, body: object, headers: Mapping[str, object] | None) -> Answer:
    text = body if isinstance(body, str) else json.dumps(body)
    kind = b"text/plain; charset=utf-8" if isinstance(body, str) else b"application/json"
    given = [(name.lower().encode(), str(value).encode("latin-1")) for name, value in (headers or {}).items()]
    own_kind = any(name == b"content-type" for name, _ in given)
    return Answer(status_code, given, b"").with_body(text.encode(), None if own_kind else kind)


def _phrase(status_code: int) -> str:
    try:
        return HTTPStatus(status_code).phrase
    except ValueError:
        return "Error"
