"""A WebSocket in front of a Server that listens on TCP, made by the library websockets: bridge.py PORT-OF-SERVER

Prints its own port. The path says how the Server's bytes come out: /frames/N a message of N bytes each, whatever the borders of
packets are; /fragments/N messages in fragments of N bytes; /together/N one message for each N bytes that the Server has sent.
"""

import asyncio
import sys

import websockets


async def to_client(server, websocket):
    _, how, size = websocket.path.split("/")
    size = int(size)
    waiting = b""
    while True:
        try:
            # What comes in a burst goes together, up to the size.
            waiting += await asyncio.wait_for(server.read(1 << 20), 0.05 if waiting else None)
        except asyncio.TimeoutError:
            pass
        else:
            if server.at_eof():
                return
            if how == "together" and len(waiting) < size:
                continue
        if how == "frames":
            for start in range(0, len(waiting), size):
                await websocket.send(waiting[start:start + size])
        elif how == "fragments":
            await websocket.send([waiting[start:start + size] for start in range(0, len(waiting), size)])
        else:
            await websocket.send(waiting)
        waiting = b""


async def serve(websocket):
    reader, writer = await asyncio.open_connection("127.0.0.1", int(sys.argv[1]))
    sending = asyncio.ensure_future(to_client(reader, websocket))
    try:
        async for message in websocket:
            writer.write(message)
            await writer.drain()
    except websockets.ConnectionClosed:
        pass
    finally:
        writer.close()
        sending.cancel()


async def main():
    # Pings of its own, often.
    async with websockets.serve(serve, "127.0.0.1", 0, subprotocols=["mqtt"], compression=None, max_size=None,
                                ping_interval=0.2) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
