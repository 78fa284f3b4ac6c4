"""diffusers' own pipelines with tiny random networks: what each is made of, and what it is called with.

A function for each family of pipelines returns the components, without the scheduler, and the arguments of a call. No
pipeline has a text encoder: the embeddings of the prompt are given. Latents have 64 numbers or a few more.
"""

import torch

# Four blocks, so that a latent is an eighth of the picture.
FOUR = (4, 4, 4, 4)
NO_TEXT = dict(text_encoder=None, tokenizer=None)
UNCHECKED = dict(safety_checker=None, feature_extractor=None, requires_safety_checker=False)
PICTURE = dict(height=32, width=32)


def network(name, **options):
    """A model of diffusers with random weights, each of which takes about as much part in a sum as the others."""
    import diffusers

    model = getattr(diffusers, name)(**options).eval()
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(generator=generator).mul_((parameter.numel() / len(parameter)) ** -0.5)
    return model


def random(*shape, seed=5):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def vae(channels=4, **options):
    return network(
        "AutoencoderKL", latent_channels=channels, block_out_channels=FOUR, norm_num_groups=1,
        down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4, **options)


def unet(**options):
    return network("UNet2DConditionModel", **{
        **dict(sample_size=4, in_channels=4, out_channels=4, layers_per_block=1, block_out_channels=(4, 8),
               norm_num_groups=2, cross_attention_dim=8, attention_head_dim=2,
               down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
               up_block_types=("CrossAttnUpBlock2D", "UpBlock2D")), **options})


def prompts(*shape, name="prompt_embeds"):
    return {name: random(*shape, seed=6), f"negative_{name}": random(*shape, seed=7)}


def whole_mask():
    return dict(prompt_attention_mask=torch.ones(1, 4), negative_prompt_attention_mask=torch.ones(1, 4))


def picture(size=32):
    return torch.linspace(0, 1, 3 * size * size).view(1, 3, size, size)


def mask(size=32):
    return (torch.arange(size) < size // 2).float().expand(1, 1, size, size)


def stable(**options):
    """Stable Diffusion."""
    return dict(vae=vae(), unet=unet(**options), **NO_TEXT, **UNCHECKED), dict(**prompts(1, 4, 8), **PICTURE)


def stable_from_picture(**options):
    components, arguments = stable(**options)
    del arguments["height"], arguments["width"]
    return components, {**arguments, "image": picture()}


def stable_inpainting(**options):
    components, arguments = stable(**options)
    return components, {**arguments, "image": picture(), "mask_image": mask()}


def stable_inpainting_model():
    """With a network that sees the mask and the masked picture."""
    return stable_inpainting(in_channels=9)


def stable_control():
    """With a ControlNet."""
    components, arguments = stable()
    control = network(
        "ControlNetModel", in_channels=4, layers_per_block=1, block_out_channels=(4, 8), norm_num_groups=2,
        cross_attention_dim=8, attention_head_dim=2, down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        conditioning_embedding_out_channels=(4, 8, 8, 8))
    return {**components, "controlnet": control}, {**arguments, "image": picture()}


def stable_xl():
    """Stable Diffusion XL."""
    made = unet(
        addition_embed_type="text_time", addition_time_embed_dim=2, projection_class_embeddings_input_dim=20)
    components = dict(vae=vae(), unet=made, text_encoder_2=None, tokenizer_2=None, **NO_TEXT)
    pooled = prompts(1, 8, name="pooled_prompt_embeds")
    return components, dict(**prompts(1, 4, 8), **pooled, **PICTURE)


def stable_xl_from_picture():
    components, arguments = stable_xl()
    del arguments["height"], arguments["width"]
    return components, {**arguments, "image": picture()}


def stable_3():
    made = network(
        "SD3Transformer2DModel", sample_size=4, patch_size=1, in_channels=4, num_layers=1, attention_head_dim=4,
        num_attention_heads=2, caption_projection_dim=8, joint_attention_dim=8, pooled_projection_dim=8, out_channels=4)
    components = dict(
        vae=vae(shift_factor=0.0609, scaling_factor=1.5305), transformer=made, text_encoder_2=None, tokenizer_2=None,
        text_encoder_3=None, tokenizer_3=None, **NO_TEXT)
    pooled = prompts(1, 8, name="pooled_prompt_embeds")
    return components, dict(**prompts(1, 4, 8), **pooled, **PICTURE)


def flux(guidance=True):
    """FLUX.1: 2 by 2 latents of 4 channels are a token of 16."""
    made = network(
        "FluxTransformer2DModel", patch_size=1, in_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=8,
        num_attention_heads=2, joint_attention_dim=8, pooled_projection_dim=8, axes_dims_rope=(2, 2, 4),
        guidance_embeds=guidance)
    components = dict(
        vae=vae(shift_factor=0.1159, scaling_factor=0.3611), transformer=made, text_encoder_2=None, tokenizer_2=None,
        **NO_TEXT)
    return components, dict(prompt_embeds=random(1, 4, 8), pooled_prompt_embeds=random(1, 8), **PICTURE)


def flux_2():
    made = network(
        "Flux2Transformer2DModel", patch_size=1, in_channels=16, num_layers=1, num_single_layers=1,
        attention_head_dim=8, num_attention_heads=2, joint_attention_dim=8, axes_dims_rope=(2, 2, 2, 2))
    coder = network(
        "AutoencoderKLFlux2", latent_channels=4, block_out_channels=FOUR, norm_num_groups=1,
        down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4)
    return dict(vae=coder, transformer=made, **NO_TEXT), dict(prompt_embeds=random(1, 4, 8), **PICTURE)


def chroma():
    made = network(
        "ChromaTransformer2DModel", patch_size=1, in_channels=16, num_layers=1, num_single_layers=1,
        attention_head_dim=8, num_attention_heads=2, joint_attention_dim=8, axes_dims_rope=(2, 2, 4),
        approximator_hidden_dim=8, approximator_layers=1, approximator_num_channels=8)
    return dict(vae=vae(), transformer=made, **NO_TEXT), dict(**prompts(1, 4, 8), **whole_mask(), **PICTURE)


def pixart():
    made = network(
        "PixArtTransformer2DModel", sample_size=4, num_layers=1, patch_size=2, attention_head_dim=4,
        num_attention_heads=2, caption_channels=8, in_channels=4, cross_attention_dim=8, out_channels=8,
        use_additional_conditions=False)
    return dict(vae=vae(), transformer=made, **NO_TEXT), dict(
        **prompts(1, 4, 8), **whole_mask(), **PICTURE, use_resolution_binning=False, negative_prompt=None)


def dit():
    made = network(
        "DiTTransformer2DModel", sample_size=4, num_layers=1, patch_size=2, attention_head_dim=4,
        num_attention_heads=2, in_channels=4, out_channels=8)
    return dict(vae=vae(), transformer=made), dict(class_labels=[1], output_type="np")


def pixels(**options):
    """A network that sees a picture itself, of 4 by 4 with three channels."""
    return network("UNet2DModel", **{
        **dict(sample_size=4, in_channels=3, out_channels=3, layers_per_block=1, block_out_channels=(4, 8),
               norm_num_groups=2, attention_head_dim=2, down_block_types=("DownBlock2D", "AttnDownBlock2D"),
               up_block_types=("AttnUpBlock2D", "UpBlock2D")), **options})


def unconditional():
    return dict(unet=pixels()), dict(output_type="np")


def consistency():
    made = pixels(
        num_class_embeds=10, resnet_time_scale_shift="scale_shift", act_fn="silu",
        down_block_types=("ResnetDownsampleBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "ResnetUpsampleBlock2D"))
    return dict(unet=made), dict(class_labels=1, output_type="np")


def latent_consistency():
    return stable(time_cond_proj_dim=8)


def latent_consistency_from_picture():
    return stable_from_picture(time_cond_proj_dim=8)


def deepfloyd(channels=3, **options):
    """DeepFloyd IF: a network that sees a picture itself, and learns the variance."""
    made = unet(
        **options, in_channels=channels, out_channels=6, encoder_hid_dim=8, addition_embed_type="text",
        addition_embed_type_num_heads=2, resnet_time_scale_shift="scale_shift",
        down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
        mid_block_type="UNetMidBlock2DSimpleCrossAttn", cross_attention_norm="layer_norm",
        up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"))
    components = dict(unet=made, watermarker=None, **NO_TEXT, **UNCHECKED)
    return components, dict(**prompts(1, 4, 8), height=4, width=4, output_type="pt")


def deepfloyd_from_picture():
    components, arguments = deepfloyd()
    del arguments["height"], arguments["width"]
    return components, {**arguments, "image": picture(4)}


def deepfloyd_upscaling():
    """DeepFloyd IF's second stage, whose network sees a smaller picture beside the sample."""
    import diffusers

    components, arguments = deepfloyd(6, class_embed_type="timestep")
    components["image_noising_scheduler"] = diffusers.DDPMScheduler(beta_schedule="squaredcos_cap_v2")
    return components, {**arguments, "image": picture(2), "noise_level": 20}


def kandinsky():
    made = unet(
        out_channels=8, addition_embed_type="image", encoder_hid_dim=8, encoder_hid_dim_type="image_proj",
        resnet_time_scale_shift="scale_shift", class_embed_type=None,
        down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
        mid_block_type="UNetMidBlock2DSimpleCrossAttn",
        up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"))
    coder = network(
        "VQModel", block_out_channels=FOUR, down_block_types=["DownEncoderBlock2D"] * 4, norm_num_groups=2,
        up_block_types=["UpDecoderBlock2D"] * 4, latent_channels=4, num_vq_embeddings=4)
    return dict(unet=made, movq=coder), dict(
        image_embeds=random(1, 8), negative_image_embeds=random(1, 8, seed=6), height=16, width=16)


def wan(**options):
    made = network("WanTransformer3DModel", **{
        **dict(patch_size=(1, 2, 2), num_attention_heads=2, attention_head_dim=12, in_channels=4, out_channels=4,
               text_dim=8, freq_dim=8, ffn_dim=8, num_layers=1, cross_attn_norm=True,
               qk_norm="rms_norm_across_heads", rope_max_seq_len=32), **options})
    return dict(vae=None, transformer=made, **NO_TEXT), dict(
        **prompts(1, 4, 8), height=32, width=32, num_frames=1)


def ltx():
    made = network(
        "LTXVideoTransformer3DModel", in_channels=8, out_channels=8, num_attention_heads=2, attention_head_dim=4,
        cross_attention_dim=8, num_layers=1, caption_channels=8)
    return dict(vae=None, transformer=made, **NO_TEXT), dict(
        **prompts(1, 4, 8), **whole_mask(), height=64, width=64, num_frames=9)


def cogvideo():
    made = network(
        "CogVideoXTransformer3DModel", num_attention_heads=2, attention_head_dim=8, in_channels=4, out_channels=4,
        time_embed_dim=2, text_embed_dim=8, num_layers=1, sample_width=2, sample_height=2, sample_frames=9,
        max_text_seq_length=4)
    return dict(vae=None, transformer=made, **NO_TEXT), dict(
        **prompts(1, 4, 8), height=16, width=16, num_frames=9)


def stable_audio():
    """Stable Audio Open: a hundred and a few numbers of sound."""
    made = network(
        "StableAudioDiTModel", sample_size=8, in_channels=4, num_layers=1, attention_head_dim=4, num_attention_heads=2,
        num_key_value_attention_heads=2, out_channels=4, cross_attention_dim=4, time_proj_dim=8,
        global_states_input_dim=8, cross_attention_input_dim=4)
    coder = network(
        "AutoencoderOobleck", encoder_hidden_size=6, downsampling_ratios=[1, 2], decoder_channels=3,
        decoder_input_channels=4, audio_channels=2, channel_multiples=[2, 4], sampling_rate=4)
    from diffusers.pipelines.stable_audio.modeling_stable_audio import StableAudioProjectionModel

    projection = StableAudioProjectionModel(text_encoder_dim=4, conditioning_dim=4, min_value=0, max_value=32).eval()
    return dict(vae=coder, transformer=made, projection_model=projection, **NO_TEXT), dict(
        **prompts(1, 4, 4), attention_mask=torch.ones(1, 4), negative_attention_mask=torch.ones(1, 4))


def stable_cascade():
    """Stable Cascade's prior, which makes the small latents of a picture."""
    from diffusers.models import StableCascadeUNet

    made = StableCascadeUNet(
        conditioning_dim=8, block_out_channels=(8, 8), num_attention_heads=(2, 2), down_num_layers_per_block=(1, 1),
        up_num_layers_per_block=(1, 1), switch_level=(False,), clip_image_in_channels=8, clip_text_in_channels=8,
        clip_text_pooled_in_channels=8, dropout=(0.0, 0.0), in_channels=4, out_channels=4, patch_size=1,
        timestep_ratio_embedding_dim=8, down_blocks_repeat_mappers=(1, 1), up_blocks_repeat_mappers=(1, 1),
        block_types_per_layer=(("SDCascadeResBlock", "SDCascadeTimestepBlock"),) * 2).eval()
    pooled = prompts(1, 1, 8, name="prompt_embeds_pooled")
    return dict(
        prior=made, image_encoder=None, feature_extractor=None, text_encoder=Unchecked(), tokenizer=None), dict(
        **prompts(1, 4, 8), prompt_embeds_pooled=pooled["prompt_embeds_pooled"],
        negative_prompt_embeds_pooled=pooled["negative_prompt_embeds_pooled"], height=171, width=171, output_type="pt")


def sana_sprint():
    components, arguments = sana(guidance_embeds=True)
    return components, {
        name: value for name, value in arguments.items() if not name.startswith("negative_")}


def hunyuan_video():
    made = network(
        "HunyuanVideoTransformer3DModel", in_channels=4, out_channels=4, num_attention_heads=2, attention_head_dim=10,
        num_layers=1, num_single_layers=1, num_refiner_layers=1, patch_size=1, text_embed_dim=8,
        pooled_projection_dim=8, rope_axes_dim=(2, 4, 4))
    return dict(vae=None, transformer=made, text_encoder_2=None, tokenizer_2=None, **NO_TEXT), dict(
        prompt_embeds=random(1, 4, 8), pooled_prompt_embeds=random(1, 8), prompt_attention_mask=torch.ones(1, 4),
        height=16, width=16, num_frames=9)


def mochi():
    made = network(
        "MochiTransformer3DModel", num_attention_heads=2, attention_head_dim=8, num_layers=2, pooled_projection_dim=8,
        in_channels=4, text_embed_dim=8, time_embed_dim=4, max_sequence_length=4)
    return dict(vae=None, transformer=made, **NO_TEXT), dict(
        **prompts(1, 4, 8), **whole_mask(), height=32, width=32, num_frames=1)


def sana(**options):
    made = network(
        "SanaTransformer2DModel", patch_size=1, in_channels=4, out_channels=4, num_layers=1, num_attention_heads=2,
        attention_head_dim=4, num_cross_attention_heads=2, cross_attention_head_dim=4, cross_attention_dim=8,
        caption_channels=8, sample_size=4, **options)
    return dict(vae=None, transformer=made, **NO_TEXT), dict(
        **prompts(1, 4, 8), **whole_mask(), height=128, width=128, use_resolution_binning=False, negative_prompt=None)


def aura_flow():
    made = network(
        "AuraFlowTransformer2DModel", sample_size=4, in_channels=4, num_mmdit_layers=1, num_single_dit_layers=1,
        attention_head_dim=4, num_attention_heads=2, caption_projection_dim=8, joint_attention_dim=8, out_channels=4,
        pos_embed_max_size=16)
    return dict(vae=vae(), transformer=made, **NO_TEXT), dict(**prompts(1, 4, 8), **whole_mask(), **PICTURE)


def lumina_2():
    made = network(
        "Lumina2Transformer2DModel", sample_size=4, patch_size=2, in_channels=4, hidden_size=8, num_layers=1,
        num_refiner_layers=1, num_attention_heads=1, num_kv_heads=1, multiple_of=2, axes_dim_rope=(4, 2, 2),
        axes_lens=(16, 16, 16), cap_feat_dim=8)
    masks = {name: mask.long() for name, mask in whole_mask().items()}
    return dict(vae=vae(), transformer=made, **NO_TEXT), dict(**prompts(1, 4, 8), **masks, **PICTURE)


def qwen():
    made = network(
        "QwenImageTransformer2DModel", in_channels=16, out_channels=4, num_layers=1, attention_head_dim=16,
        num_attention_heads=2, joint_attention_dim=8, axes_dims_rope=(8, 4, 4))
    return dict(vae=None, transformer=made, **NO_TEXT), dict(
        **prompts(1, 4, 8), prompt_embeds_mask=torch.ones(1, 4, dtype=torch.long),
        negative_prompt_embeds_mask=torch.ones(1, 4, dtype=torch.long), **PICTURE)


def z_image():
    made = network(
        "ZImageTransformer2DModel", in_channels=4, dim=16, n_layers=1, n_refiner_layers=1, n_heads=1, n_kv_heads=1,
        cap_feat_dim=8, axes_dims=[8, 4, 4], axes_lens=[256, 32, 32])
    return dict(vae=vae(), transformer=made, **NO_TEXT), dict(
        prompt_embeds=[random(4, 8, seed=6)], negative_prompt_embeds=[random(4, 8, seed=7)], **PICTURE)


def latte():
    made = network(
        "LatteTransformer3DModel", sample_size=4, num_layers=1, patch_size=2, attention_head_dim=4,
        num_attention_heads=2, caption_channels=8, in_channels=4, cross_attention_dim=8, out_channels=8,
        attention_bias=True, activation_fn="gelu-approximate", num_embeds_ada_norm=1000, norm_type="ada_norm_single",
        norm_elementwise_affine=False)
    return dict(vae=vae(), transformer=made, **NO_TEXT), dict(
        **prompts(1, 4, 8), **PICTURE, video_length=1, negative_prompt=None)


def allegro():
    made = network(
        "AllegroTransformer3DModel", num_attention_heads=2, attention_head_dim=12, in_channels=4, out_channels=4,
        num_layers=1, cross_attention_dim=24, sample_width=4, sample_height=4, sample_frames=2, caption_channels=8)
    return dict(vae=None, transformer=made, **NO_TEXT), dict(
        **prompts(1, 4, 8), **whole_mask(), height=32, width=32, num_frames=4, negative_prompt=None)


def cogview_4():
    made = network(
        "CogView4Transformer2DModel", patch_size=2, in_channels=4, num_layers=1, attention_head_dim=4,
        num_attention_heads=2, out_channels=4, text_embed_dim=8, time_embed_dim=8, condition_dim=4)
    return dict(vae=vae(), transformer=made, **NO_TEXT), dict(**prompts(1, 16, 8), **PICTURE)


def animate():
    """AnimateDiff, with motion in every block."""
    made = unet(
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"))
    motion = network(
        "MotionAdapter", block_out_channels=(4, 8), motion_layers_per_block=1, motion_norm_num_groups=2,
        motion_num_attention_heads=2)
    return dict(vae=vae(), unet=made, motion_adapter=motion, **NO_TEXT), dict(
        **prompts(1, 4, 8), height=16, width=16, num_frames=4)


def hunyuan_dit():
    made = network(
        "HunyuanDiT2DModel", sample_size=4, num_layers=2, patch_size=2, attention_head_dim=4, num_attention_heads=2,
        in_channels=4, cross_attention_dim=8, cross_attention_dim_t5=8, pooled_projection_dim=8, hidden_size=8,
        text_len=4, text_len_t5=4)
    return dict(vae=vae(), transformer=made, text_encoder_2=None, tokenizer_2=None, **NO_TEXT, **UNCHECKED), dict(
        **prompts(1, 4, 8), **prompts(1, 4, 8, name="prompt_embeds_2"), **whole_mask(), use_resolution_binning=False,
        prompt_attention_mask_2=torch.ones(1, 4), negative_prompt_attention_mask_2=torch.ones(1, 4), **PICTURE)


class Unchecked(torch.nn.Module):
    """In the place of Cosmos' guardrails, or of Stable Cascade's text encoder, without which there is no pipeline."""

    dtype, device = torch.float32, torch.device("cpu")

    def check_text_safety(self, _):
        return True


def cosmos():
    made = network(
        "CosmosTransformer3DModel", in_channels=4, out_channels=4, num_attention_heads=2, attention_head_dim=16,
        num_layers=1, mlp_ratio=1, text_embed_dim=8, adaln_lora_dim=4, max_size=(4, 16, 16), patch_size=(1, 2, 2),
        concat_padding_mask=False)
    return dict(vae=None, transformer=made, safety_checker=Unchecked(), **NO_TEXT), dict(
        **prompts(1, 4, 8), height=32, width=32)


def cosmos_video():
    components, arguments = cosmos()
    return components, {**arguments, "num_frames": 1}


def stable_video():
    """Stable Video Diffusion: two frames that follow a picture."""
    import transformers

    made = network(
        "UNetSpatioTemporalConditionModel", block_out_channels=(32, 32), layers_per_block=1, sample_size=4,
        in_channels=8, out_channels=4, down_block_types=("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
        up_block_types=("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"), cross_attention_dim=8,
        num_attention_heads=2, projection_class_embeddings_input_dim=24, addition_time_embed_dim=8)
    coder = network(
        "AutoencoderKLTemporalDecoder", block_out_channels=(32, 32, 32, 32), latent_channels=4,
        down_block_types=["DownEncoderBlock2D"] * 4)
    config = transformers.CLIPVisionConfig(
        hidden_size=8, projection_dim=8, num_hidden_layers=1, num_attention_heads=2, image_size=32,
        intermediate_size=8, patch_size=16)
    eye = transformers.CLIPVisionModelWithProjection(config)
    return dict(vae=coder, unet=made, image_encoder=eye, feature_extractor=transformers.CLIPImageProcessor()), dict(
        image=picture(), height=32, width=32, num_frames=2)


def kandinsky_from_picture():
    components, arguments = kandinsky()
    return components, {**arguments, "image": picture(), **PICTURE}


def wan_2():
    """Wan 2.2: one network for the noisy steps and one for the others."""
    components, arguments = wan()
    other, _ = wan()
    return {**components, "transformer_2": other["transformer"], "boundary_ratio": 0.875}, arguments


def wan_from_picture():
    """Wan's network of video that begins with a picture, which it is given as latents beside the sample."""
    components, arguments = wan(in_channels=12)
    coder = network(
        "AutoencoderKLWan", base_dim=2, z_dim=4, dim_mult=[1, 1, 1, 1], num_res_blocks=1,
        temperal_downsample=[False, True, True], latents_mean=[0.0] * 4, latents_std=[1.0] * 4)
    return {**components, "vae": coder, "image_encoder": None, "image_processor": None}, {
        **arguments, "image": picture()}


def prx():
    made = network(
        "PRXTransformer2DModel", patch_size=1, in_channels=4, context_in_dim=8, hidden_size=8, mlp_ratio=2.0,
        num_heads=2, depth=1, axes_dim=[2, 2])
    return dict(vae=vae(), transformer=made, **NO_TEXT), dict(
        **prompts(1, 4, 8), prompt_attention_mask=torch.ones(1, 4).bool(),
        negative_prompt_attention_mask=torch.ones(1, 4).bool(), **PICTURE, use_resolution_binning=False)


def sana_video():
    made = network(
        "SanaVideoTransformer3DModel", in_channels=4, out_channels=4, num_attention_heads=2, attention_head_dim=12,
        num_layers=1, num_cross_attention_heads=2, cross_attention_head_dim=12, cross_attention_dim=24,
        caption_channels=8, mlp_ratio=2.5, sample_size=4, patch_size=(1, 2, 2), rope_max_seq_len=32,
        qk_norm="rms_norm_across_heads")
    return dict(vae=None, transformer=made, **NO_TEXT), dict(
        **prompts(1, 4, 8), **whole_mask(), height=32, width=32, frames=1, use_resolution_binning=False,
        negative_prompt=None)


def krea_2():
    made = network(
        "Krea2Transformer2DModel", in_channels=16, num_layers=1, attention_head_dim=8, num_attention_heads=2,
        num_key_value_heads=1, intermediate_size=8, timestep_embed_dim=8, text_hidden_dim=8, num_text_layers=3,
        text_num_attention_heads=1, text_num_key_value_heads=1, text_intermediate_size=8,
        num_layerwise_text_blocks=1, num_refiner_text_blocks=1, axes_dims_rope=(4, 2, 2), rope_theta=1000.0)
    masks = dict(prompt_embeds_mask=torch.ones(1, 4).bool(), negative_prompt_embeds_mask=torch.ones(1, 4).bool())
    return dict(vae=None, transformer=made, text_encoder_select_layers=(0, 1, 2), **NO_TEXT), dict(
        **prompts(1, 4, 3, 8), **masks, **PICTURE)
