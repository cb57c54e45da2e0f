using System.Net;
using System.Net.Sockets;

namespace Lifeboat.Tests.Shared;

/// <summary>A TCP proxy on the loopback interface that stops forwarding when it is told to, and keeps every connection open.</summary>
public sealed class StallingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly int _to;
    private readonly List<TcpClient> _clients = [];
    private readonly Task _accepting;
    private long _forwarded;
    private volatile bool _stalled;

    public StallingProxy(int to)
    {
        _to = to;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Whether connections that are made after the stall are forwarded.</summary>
    public bool ForwardsNewOnes { get; init; }

    /// <summary>How many bytes went through in both directions before nothing goes through any more; set before anything is sent.</summary>
    public long StallsAfter { get; init; } = long.MaxValue;

    public bool HasStalled => _stalled;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_clients)
            _clients.ForEach(static client => client.Dispose());
        _stop.Dispose();
    }

    /// <summary>Forwards nothing any more.</summary>
    public void Stall() => _stalled = true;

    private async Task AcceptAsync()
    {
        while (true)
        {
            TcpClient near = await _listener.AcceptTcpClientAsync(_stop.Token);
            TcpClient far = new();
            lock (_clients)
                _clients.AddRange([near, far]);
            await far.ConnectAsync(IPAddress.Loopback, _to, _stop.Token);
            bool isForwarded = ForwardsNewOnes && _stalled;
            _ = ForwardAsync(near, far, isForwarded);
            _ = ForwardAsync(far, near, isForwarded);
        }
    }

    private async Task ForwardAsync(TcpClient from, TcpClient to, bool always)
    {
        byte[] buffer = new byte[16 * 1024];
        try
        {
            while (await from.GetStream().ReadAsync(buffer, _stop.Token) is > 0 and int count)
            {
                if (Interlocked.Add(ref _forwarded, count) > StallsAfter)
                    _stalled = true;
                if (_stalled && !always)
                    await Task.Delay(Timeout.Infinite, _stop.Token);
                await to.GetStream().WriteAsync(buffer.AsMemory(0, count), _stop.Token);
            }

            to.Client.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // One side has gone, or the test is over.
        }
    }
}
