# A pool of workers that serve connections, and forget one in five of them.
import ctypes, queue, socket, threading, time

# The name that the kernel knows the program by.
ctypes.CDLL(None).prctl(15, b"api-server", 0, 0, 0)
work = queue.Queue()
forgotten = []


def serve(name):
    ctypes.CDLL(None).prctl(15, name, 0, 0, 0)
    while True:
        number, connection = work.get()
        connection.recv(16)
        if number % 5 == 0:
            forgotten.append(connection)  # the error path
        else:
            connection.close()


for number in range(8):
    threading.Thread(target=serve, args=(b"worker-%d" % number,), daemon=True).start()
server = socket.create_server(("127.0.0.1", 0))
log = open("/tmp/api-server.log", "w")
number = 0
while True:
    number += 1
    client = socket.create_connection(server.getsockname())
    connection, _ = server.accept()
    work.put((number, connection))
    client.sendall(b"hello")
    client.close()
    time.sleep(0.05)
