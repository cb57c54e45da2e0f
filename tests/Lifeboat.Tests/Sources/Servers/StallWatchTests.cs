using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Servers;

namespace Lifeboat.Tests.Sources.Servers;

public sealed class StallWatchTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMilliseconds(80);

    /// <summary>Many times what it takes to notice.</summary>
    private static readonly TimeSpan s_long = TimeSpan.FromSeconds(1.5);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private readonly TaskCompletionSource<string> _given = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public async Task A_server_that_waits_for_us_while_we_wait_for_it_is_given_up()
    {
        await using StallWatch watch = Watch(static () => new SessionLook(false, "idle"));
        watch.BeginWait();
        Assert.Contains("the server waits for us", await _given.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_cannot_be_reached_is_given_up()
    {
        await using StallWatch watch = Watch(static () => throw new LifeboatException(ErrorCodes.PostgresUnreachable, "no answer", "none"));
        watch.BeginWait();
        Assert.Contains("no answer", await _given.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_at_work_one_that_goes_on_and_one_that_cannot_be_asked_are_not()
    {
        int moves = 0;
        SessionLook?[] looks = [new SessionLook(true, "active"), null];
        foreach (SessionLook? look in looks)
        {
            await using StallWatch watch = Watch(() => look);
            watch.BeginWait();
            await Task.Delay(s_long, Cancellation);
        }

        await using StallWatch moving = Watch(() => new SessionLook(false, $"bytes {++moves}"));
        moving.BeginWait();
        await Task.Delay(s_long, Cancellation);
        Assert.True(moves > 3);
        Assert.False(_given.Task.IsCompleted);
    }

    [Fact]
    public async Task Whoever_does_not_wait_has_not_stalled()
    {
        int looks = 0;
        await using StallWatch watch = Watch(() =>
        {
            looks++;
            return new SessionLook(false, "idle");
        });
        watch.BeginWait();
        watch.EndWait();
        await Task.Delay(s_long, Cancellation);
        Assert.Equal(0, looks);
    }

    private StallWatch Watch(Func<SessionLook?> look) => new(s_limit, _ => Task.FromResult(look()), reason => _given.TrySetResult(reason));
}
