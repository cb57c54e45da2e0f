using System.Globalization;
using Lifeboat.Interrupted;

// The program as it is, but for a probe that ends it at one of a restore's steps: LIFEBOAT_STOP says at which and how. LIFEBOAT_WAIT is how many seconds it waits for a server.
return await Lifeboat.EntryPoint.RunAsync(args, static host => host with
{
    Steps = StoppingProbe.From(host),
    Environment = host.Variable("LIFEBOAT_WAIT") is { } seconds
        ? host.Environment with { LongestWaitForServer = TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture)) } : host.Environment,
});
