using Lifeboat.Engine.Sources;

namespace Lifeboat.Tests.Sources;

public sealed class CutGateTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task All_wait_until_the_last_is_ready_or_has_given_up()
    {
        CutGate gate = new();
        using CutTurn first = gate.Join(), second = gate.Join(), third = gate.Join();
        Task one = first.WaitAsync(Cancellation);
        Task two = second.WaitAsync(Cancellation);
        Task again = second.WaitAsync(Cancellation);
        await Task.Delay(50, Cancellation);
        Assert.False(one.IsCompleted || two.IsCompleted || again.IsCompleted);
        third.Dispose();
        third.Dispose();
        await Task.WhenAll(one, two, again).WaitAsync(TimeSpan.FromSeconds(30), Cancellation);
    }

    [Fact]
    public async Task One_that_is_alone_waits_for_nobody_and_a_wait_can_be_cancelled()
    {
        using CutTurn alone = CutTurn.Alone;
        await alone.WaitAsync(Cancellation);
        CutGate gate = new();
        using CutTurn first = gate.Join(), second = gate.Join();
        using CancellationTokenSource cancel = new();
        Task waiting = first.WaitAsync(cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }
}
