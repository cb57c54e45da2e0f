using Lifeboat.Interrupted;

// The program as it is, but for a probe that ends it at one of a restore's steps: LIFEBOAT_STOP says at which and how.
return await Lifeboat.EntryPoint.RunAsync(args, static host => host with { Steps = StoppingProbe.From(host) });
